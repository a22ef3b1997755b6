# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Getting into an appliance that may still be booting, may still have its first password, or may just be rebooting."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from ..core.nitro_errors import (
    FORCE_PASSWORD_CHANGE,
    NitroAuthError,
    NitroError,
    NitroGarbled,
    NitroUnreachable,
)
from .bootstrap import FirstPassword, parse_version
from .client import Connection, NitroClient
from .waiting import wait_until

# NITRO answers before the script of the first boot has set the instance id as password (vendor's templates wait for
# EC2's reachability check, five minutes at most). So a refused first password means that the appliance is not ready.
# Seconds between two logins after a refusal, so that no appliance is flooded with failed logins.
REFUSED_PAUSE = 3.0
# Seconds of waiting after which EC2 is asked what has become of the instance, and between two such questions.
ASK_AFTER = 5.0
ASK_AGAIN = 15.0
# Seconds after which a node in service that EC2 calls running and healthy counts as hung. A reboot by hand, which EC2's
# status checks do not show, is over by then: a VPX takes about two minutes.
HUNG_AFTER = 150.0
# A rebooting appliance goes down within seconds; one that still knows the session after this did not.
REBOOT_GRACE = 60.0
_INVALID_ARGUMENT = 278
# What a look at a machine without a network may cost: it is looked at again at once.
_CONNECT_TIMEOUT = 3.0


@dataclass(frozen=True, slots=True)
class Passwords:
    """``new`` is tried first. ``others``: (what it is called, password) that may have been right until now."""

    new: str
    others: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class FirstLogin:
    """How we got in. ``client`` is None where only a password change would have let us in and none was allowed."""

    client: NitroClient | None
    password: FirstPassword
    version: str | None = None
    password_changed: bool = False


@dataclass(frozen=True, slots=True)
class InstanceReport:
    """What EC2 says of the instance. ``is_gone``: it is stopped or terminated, so that waiting does not help.

    ``impaired``: a status check fails. ``starting``: the status checks have not ended since it was started. ``remedy``:
    what brings the node back, as a message.
    """

    is_gone: bool
    text: str
    impaired: bool = False
    starting: bool = False
    remedy: str = ""


class LoginRetry:
    """Tries to get in, once per ``attempt``; remembers what it met, for the message of a time-out.

    ``may_change``: whether the first password may be replaced (not in check mode: it is a write). ``first_password``:
    one of the passwords is the appliance's first, which is not in place at once. ``instance``: what EC2 says.
    ``in_service``: the node has served before, so that it is not expected to boot now.
    """

    def __init__(
        self,
        connection: Connection,
        passwords: Passwords,
        *,
        may_change: bool,
        first_password: bool = False,
        in_service: bool = False,
        instance: Callable[[], InstanceReport | None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._connection = replace(connection, token=None, connect_timeout=_CONNECT_TIMEOUT)
        self._passwords = passwords
        self._may_change = may_change
        self._clock = clock
        self._sleep = sleep
        self._first_password = first_password
        self._in_service = in_service
        self._instance = instance
        self._refused_at: float | None = None
        self._report: InstanceReport | None = None
        self._changes_sent = 0
        self.last = f"{connection.nsip}: nothing was tried"

    def wait(self, timeout: float) -> FirstLogin:
        """Retry the login until it is accepted. Raises NitroTimeout after ``timeout`` seconds.

        Raises NitroError at once when EC2 says that the instance is stopped or terminated, or that a node in service is
        impaired; and for a node in service that EC2 calls healthy, when it has not answered for ``HUNG_AFTER`` seconds.
        """
        started = self._clock()
        ask_at = started + ASK_AFTER

        def attempt() -> FirstLogin | None:
            nonlocal ask_at
            entry = self.attempt()
            if entry is None and self._clock() >= ask_at:
                ask_at = self._clock() + ASK_AGAIN
                self._ask_ec2(self._clock() - started)
            return entry

        return wait_until(
            attempt,
            timeout,
            lambda: f"NITRO did not become ready: {self.last}{f'; {self._report.text}' if self._report else ''}",
            state=lambda: self.last,
            clock=self._clock,
            sleep=self._sleep,
        )

    def attempt(self) -> FirstLogin | None:
        """Return an entry, or None while the appliance is not ready. Raises NitroError where waiting does not help."""
        try:
            return self._try_all()
        except NitroError as error:
            if not _booting(error):
                raise
            self.last = str(error)
            return None

    def _ask_ec2(self, waited: float) -> None:
        self._report = report = self._instance() or self._report
        if report is None:
            return
        remedy = f". {report.remedy}" if report.remedy else ""
        if report.is_gone:
            raise NitroError(f"{report.text}: waiting for {self._connection.nsip} does not help; {self.last}{remedy}")
        if self._in_service and not report.starting and (report.impaired or waited >= HUNG_AFTER):
            raise NitroError(f"{report.text}, but this node in service does not answer NITRO: {self.last}{remedy}")

    def _try_all(self) -> FirstLogin | None:
        if self._refused_at is not None and self._clock() - self._refused_at < REFUSED_PAUSE:
            return None
        refusals: list[NitroAuthError] = []
        for password in (self._passwords.new, *(other for name, other in self._passwords.others)):
            client = NitroClient(replace(self._connection, password=password), sleep=self._sleep)
            try:
                client.login()
                version = read_version(client)
            except NitroError as error:
                client.close()
                if error.code == FORCE_PASSWORD_CHANGE and password != self._passwords.new:
                    return self._forced(password)
                if not isinstance(error, NitroAuthError):
                    raise
                refusals.append(error)
            else:
                return self._inside(client, password, version)
        self._refused(refusals[-1])
        return None

    def _inside(self, client: NitroClient, password: str, version: str | None) -> FirstLogin:
        if password == self._passwords.new:
            # A change whose answer got lost was ours all the same.
            changed = self._changes_sent > 0
            return FirstLogin(client, FirstPassword.FORCED if changed else FirstPassword.DONE, version, changed)
        if not self._may_change:
            return FirstLogin(client, FirstPassword.OPEN, version)
        self._changes_sent += 1
        with client:
            client.update("systemuser", {"username": self._connection.user, "password": self._passwords.new})
        fresh = NitroClient(replace(self._connection, password=self._passwords.new), sleep=self._sleep)
        fresh.login()
        return FirstLogin(fresh, FirstPassword.OPEN, version, password_changed=True)

    def _forced(self, password: str) -> FirstLogin | None:
        """1046: only a login that brings a new password is accepted."""
        if not self._may_change:
            return FirstLogin(None, FirstPassword.FORCED)
        client = NitroClient(replace(self._connection, password=password), sleep=self._sleep)
        self._changes_sent += 1
        try:
            client.login(new_password=self._passwords.new)
            return FirstLogin(client, FirstPassword.FORCED, read_version(client), password_changed=True)
        except NitroError as error:
            client.close()
            if error.code == _INVALID_ARGUMENT and self._changes_sent == 1:
                # What an appliance says whose password was changed meanwhile: look again with the new one.
                self.last = str(error)
                return None
            raise

    def _refused(self, refusal: NitroAuthError) -> None:
        """Raise for a refused login: a first password may not be in place yet, any other refusal is final."""
        self._refused_at = self._clock()
        names = ["new_password", *(name for name, other in self._passwords.others)]
        tried = f"none of {', '.join(names)} was accepted" if len(names) > 1 else "new_password was not accepted"
        hint = "" if len(names) > 1 else "; for the first login give instance_id, the first password"
        self.last = f"{refusal}: {tried}{hint}"
        if not self._first_password:
            raise NitroAuthError(
                self.last, code=refusal.code, message=refusal.message, http_status=refusal.http_status, resource="login"
            )


def read_version(client: NitroClient) -> str | None:
    """Return the version, for example ``13.1-53.24``; its answer proves that NITRO is up, not just its web server."""
    rows = client.get("nsversion")
    return parse_version(str(rows[0].get("version") or "")) if rows else None


def reboot(
    client: NitroClient,
    timeout: float,
    *,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
    warm: bool = True,
) -> None:
    """Reboot and come back: until the old session is gone, then until NITRO lets us in again.

    ``timeout`` seconds for both. ``warm``: without the kernel. Raises NitroTimeout with what was last seen.
    """
    nsip = client.connection.nsip
    started = clock()
    client.reboot(warm=warm)
    wait_until(
        lambda: not _still_alive(client),
        min(REBOOT_GRACE, timeout),
        lambda: f"{nsip}: was rebooted but still answers in the old session",
        clock=clock,
        sleep=sleep,
    )
    client.forget_session()
    observed = [f"{nsip}: no answer yet"]

    def back() -> bool:
        try:
            client.get("nsversion")
        except NitroError as error:
            if not (_booting(error) or isinstance(error, NitroAuthError)):
                raise
            observed[0] = str(error)
            client.forget_session()
            return False
        return True

    left = max(0.0, timeout - (clock() - started))
    wait_until(
        back, left, lambda: f"the appliance did not come back after its reboot: {observed[0]}", clock=clock, sleep=sleep
    )


def _still_alive(client: NitroClient) -> bool:
    try:
        return client.session_alive()
    except NitroError as error:
        if not _booting(error):
            raise
        return False


def _booting(error: NitroError) -> bool:
    """Whether this is what a machine answers that is not up yet, or not up again."""
    return isinstance(error, NitroUnreachable | NitroGarbled) or error.http_status in {500, 502, 504}
