"""Playbooks in Ansible's own engine, with modules called in the task's process instead of in one of their own.

A module's process spends most of its time on starting Python and loading boto3. Here that is done once, in a server
process, and each playbook is a fork of it. Plays, tasks, templates, conditions and results are Ansible's as ever; only
``ActionBase._execute_module`` is replaced, for the modules of this collection, of amazon.aws and of awx.awx.
"""
