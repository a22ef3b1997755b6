"""The site: guides of this folder, and under reference/ what `make docs` generates from the collection itself."""

from __future__ import annotations

import os
import sys
import zlib
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(__file__).parent))
_GALAXY = yaml.safe_load((Path(__file__).parent.parent / "galaxy.yml").read_text(encoding="utf-8"))

project = "cloudadc.aws"
author = _GALAXY["authors"][0]
project_copyright = f"2026, {author}"
version = release = str(_GALAXY["version"])

extensions = [
    "myst_parser",
    "sphinx.ext.intersphinx",
    "sphinx_antsibull_ext",
    "sphinx_copybutton",
    "diagrams",
]
root_doc = "index"
exclude_patterns = ["build", "diagrams", "docsite", "examples"]
highlight_language = "yaml+jinja"
nitpicky = True


def _elsewhere() -> str:
    """Write an inventory of the pages of Ansible's own site that the reference links to; nothing is fetched."""
    amazon = Path(os.environ["ANSIBLE_COLLECTIONS_PATH"], "ansible_collections", "amazon", "aws", "plugins", "modules")
    # The site documents the newest amazon.aws, which has this one besides those of the oldest release that we take.
    modules = sorted({"elb_target_group", *(module.stem for module in amazon.glob("[a-z]*.py"))})
    pages = {
        "common_return_values": "reference_appendices/common_return_values.html",
        "ansible_configuration_settings": "reference_appendices/config.html",
        "action_plugins": "plugins/action.html",
    } | {
        f"ansible_collections.amazon.aws.{module}_module": f"collections/amazon/aws/{module}_module.html"
        for module in modules
    }
    lines = "".join(f"{label} std:label -1 {page} {label}\n" for label, page in pages.items())
    head = (
        "Sphinx inventory version 2",
        "Project: Ansible",
        "Version: ",
        "The remainder of this file is compressed using zlib.",
    )
    inventory = Path(__file__).parent / "build" / "ansible.inv"
    inventory.parent.mkdir(exist_ok=True)
    inventory.write_bytes("".join(f"# {line}\n" for line in head).encode() + zlib.compress(lines.encode()))
    return str(inventory)


intersphinx_mapping = {"ansible": ("https://docs.ansible.com/ansible/latest/", _elsewhere())}

# The guides are read on GitHub, too: links between them are links between files, and ```mermaid is a diagram in both.
myst_heading_anchors = 3
myst_fence_as_directive = ["mermaid"]
copybutton_prompt_text = "$ "

html_static_path = ["_static"]
html_theme = "furo"
html_title = f"cloudadc.aws {release}"
html_show_sourcelink = False
html_theme_options = {
    "source_repository": _GALAXY["repository"],
    "source_branch": "main",
    "source_directory": "docs/",
}
