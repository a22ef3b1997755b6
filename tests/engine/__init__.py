"""Playbooks in Ansible's own engine, started as forks of a process that has loaded what they need.

Starting Ansible and loading boto3 is most of what a playbook's process does. Here that is done once, in a server
process, and each playbook is a fork of it. Plays, tasks, templates, conditions, results and our modules are as ever;
modules of amazon.aws and awx.awx run in the task's process too.
"""
