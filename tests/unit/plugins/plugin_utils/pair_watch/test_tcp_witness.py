"""TCP connections to the Elastic IPs as a witness: what counts, and what does not."""

from __future__ import annotations

import asyncio
import socket

import pytest

from ansible_collections.cloudadc.aws.plugins.plugin_utils.pair_watch.tcp_witness import Contact, answers, dark

WEB = Contact("203.0.113.1", 443)


def contact(answered: float | None, since: float | None) -> Contact:
    return Contact("203.0.113.1", 443, answered, since)


@pytest.mark.parametrize(
    ("contacts", "said"),
    [
        pytest.param([contact(97, 97.5)], "203.0.113.1:443 (last answer 4.0 s ago)", id="it answered, and does not"),
        pytest.param([contact(97, None)], None, id="it answers"),
        pytest.param([contact(100.5, 100.8)], None, id="not for long"),
        pytest.param([contact(40, 97)], None, id="the last answer is more than a minute ago"),
        pytest.param([contact(None, 10)], None, id="it never answered"),
        pytest.param([contact(97, 97.5), contact(100.9, None)], None, id="another one at the node answers"),
        pytest.param([contact(97, 97.5), contact(None, 10)], "203.0.113.1:443 (last", id="the other never answered"),
        pytest.param([], None, id="none is watched"),
    ],
)
def test_only_an_address_that_answered_within_the_last_minute_is_a_witness(
    contacts: list[Contact], said: str | None
) -> None:
    found = dark(contacts, 101.0, 3.0)
    assert (found is None) if said is None else (found is not None and said in found)


def test_silence_begins_with_the_first_try_in_vain_and_ends_with_an_answer() -> None:
    seen = WEB.noted(True, 0, 0.1).noted(False, 1, 2).noted(False, 2, 3)
    assert (seen.answered_at, seen.dark_since) == (0.1, 1)
    assert seen.noted(True, 4, 4.1).dark_since is None


def test_a_refused_connection_is_an_answer_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        port = server.getsockname()[1]
        assert asyncio.run(answers("127.0.0.1", port, 5.0)), "refused: nothing listens there"
        server.listen()
        assert asyncio.run(answers("127.0.0.1", port, 5.0))

    async def silence(*_where: object) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(asyncio, "open_connection", silence)
    assert not asyncio.run(answers("203.0.113.1", 443, 0.05))
