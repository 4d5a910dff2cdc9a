# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may be shown of a configuration: no password in any spelling, and everything else unharmed."""

from __future__ import annotations

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._daemons.daemon_plan import Files
from ansible_collections.lvs.topology.plugins.module_utils._daemons.secret_text import (
    masked,
    secrets_of,
    told,
    without_passwords,
)
from ansible_collections.lvs.topology.plugins.module_utils._file_plan import File
from ansible_collections.lvs.topology.plugins.module_utils._keepalived import keepalived_plan as plan
from ansible_collections.lvs.topology.plugins.module_utils._keepalived.keepalived_text import verdict
from ansible_collections.lvs.topology.plugins.module_utils._screen import MASK, printable

WORD = "hUnt3r"
# Each way in which a configuration can hold a password, and what else of it has to be seen.
SPELLINGS = {
    "plain": f"authentication {{\n    auth_type PASS\n    auth_pass {WORD}\n}}",
    "tabs": f"\tauth_pass\t\t{WORD}\t",
    "quoted": f'auth_pass "{WORD}"',
    "single quotes": f"auth_pass '{WORD}'",
    "quoted keyword": f'"auth_pass" "{WORD}"',
    "one line": f"authentication {{ auth_type PASS auth_pass {WORD} }}",
    "one statement a brace": f"authentication {{ auth_pass {WORD}",
    "without space": f"authentication{{auth_pass {WORD}}}",
    "comment": f"# auth_pass {WORD}",
    "comment of another kind": f"  ! auth_pass {WORD}",
    "after a comment": f"auth_pass {WORD} # since May",
    "twice": f"auth_pass {WORD}x\nauth_pass {WORD}",
    "conditional": f"@lb1 auth_pass {WORD}",
    "definition": f"$PASS={WORD}\nauth_pass $PASS",
    "definition in quotes": f'$PASS="{WORD}"\nauth_pass ${{PASS}}',
    "definition over lines": f"$PASS=\\\n{WORD}\nauth_pass $PASS",
    "definition of the whole block": f"$AUTH=authentication {{\\\n auth_pass {WORD}\\\n }}\n$AUTH",
    "defined keyword": f"$K=auth_pass\n$K {WORD}",
    "keyword in pieces": f"$A=auth_\n${{A}}pass {WORD}",
    "list": f"~LST(p, {{{WORD}}}) auth_pass $p",
    "continued": f"auth_pass \\\n{WORD}",
    "next line": f"auth_pass\n{WORD}",
    "quotes that do not end": f'auth_pass "\n{WORD}"',
    "certificate": f"SSL {{\n    password {WORD}\n    key /etc/key.pem\n}}",
    "argument of a check": f'misc_path "/usr/bin/check --password {WORD} 10.0.0.51"',
    "cut": "#" * 1021 + f"auth_pass {WORD}",
    "line ends of another system": f"auth_pass {WORD}\r\nauth_type PASS\r\n",
    "elsewhere": f"auth_pass {WORD}\n# it was {WORD} before",
    "upper case": f"# AUTH_PASS: {WORD}",
    "behind a comment": f'password # since May\n    "{WORD}";',
    "behind a comment of another kind": f'password /* since\n May */ "{WORD}";',
    "constant": f'define PASS = "{WORD}";\npassword PASS;',
    "longer than it may be": f"auth_pass {WORD}{WORD}",
}


def on_disk(config: File | None) -> Files:
    return Files(config, 0.0, None, {plan.DROP_IN: None}, 1.0)


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_no_spelling_of_a_password_is_shown(spelling: str) -> None:
    text = f"global_defs {{\n    router_id lb1\n}}\n{SPELLINGS[spelling]}\nvirtual_router_id 51\n"
    shown = "\n".join(masked(text.splitlines(), secrets_of(text)))
    assert WORD not in shown
    assert MASK in shown
    for line in ("global_defs {", "    router_id lb1"):
        assert line in shown
    # Nor by the plan, whichever side it is on, and whatever the other one is.
    for before, after in ((text, "nothing\n"), ("nothing\n", text), (text, text.replace(WORD, "n3wOne"))):
        files = on_disk(File(before, 0o600))
        diff = plan.plan_present(plan.Ledger(), "keepalived", plan.PATH, after, files, None).plan
        for secret in (WORD, "n3wOne"):
            assert secret not in "\n".join((*diff.before, *diff.after))
        assert diff.before[0] == f"# {plan.PATH}"


@pytest.mark.slow
@pytest.mark.parametrize("words", ["password /*", "password #\n", "# password\n", "define a = ", 'password "', "$A="])
def test_words_of_passwords_alone_come_to_an_end(words: str) -> None:
    """Were each of them a text as long as all that follows, this would take hours."""
    text = words * 100_000
    masked(text.splitlines(), secrets_of(text))
    assert WORD not in without_passwords(f'{text}\npassword "{WORD}"', [], "HIDDEN")


@pytest.mark.parametrize("secret", ["e", "start", "keepalived", "systemctl", "1", "80", "*", ".", "\\", "write"])
def test_a_password_that_is_a_word_of_ours_damages_nothing(secret: str) -> None:
    text = f"vrrp_instance lvs {{\n    state BACKUP\n    auth_pass {secret}\n    # restarted by keepalive\n}}\n"
    outcome = plan.plan_present(plan.Ledger(), "keepalived", plan.PATH, text, on_disk(None), plan.Unit())
    assert [change.line for change in outcome.plan.changes] == [
        f"write {plan.PATH}",
        f"write {plan.DROP_IN}",
        "systemctl daemon-reload",
        "systemctl enable keepalived.service",
        "systemctl start keepalived.service",
    ]
    assert outcome.plan.after[0] == f"# {plan.PATH}"
    assert "    state BACKUP" in outcome.plan.after
    assert f"    auth_pass {MASK}" in outcome.plan.after


def test_a_password_alone_that_differs_is_a_diff() -> None:
    files = on_disk(File("    auth_pass one\n", 0o600))
    diff = plan.plan_present(plan.Ledger(), "keepalived", plan.PATH, "    auth_pass two\n", files, None).plan
    assert diff.before == (f"# {plan.PATH}", f"    auth_pass {MASK}")
    assert diff.after == (f"# {plan.PATH} (a line that is not shown differs)", f"    auth_pass {MASK}")


def test_named_secrets_are_masked_where_no_keyword_tells() -> None:
    lines = ["notify /usr/bin/tell hUnt3r", "virtual_server 10.0.0.1 80 {", "priority 150"]
    assert masked(lines, ["hUnt3r"]) == (f"notify /usr/bin/tell {MASK}", *lines[1:])
    # A short one is taken for itself alone.
    assert masked(lines, ["50", "1"]) == tuple(lines)


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("(Line 3) Unterminated quote 'auth_pass \"hUnt3r'", f"(Line 3) Unterminated quote 'auth_pass {MASK}"),
        ("(Line 3) Unknown keyword 'hUnt3r'", f"(Line 3) Unknown keyword '{MASK}'"),
        ("Truncating auth_pass to 8 characters", "Truncating auth_pass to 8 characters"),
        # Of a file that is included nobody knows the passwords.
        (
            "(/etc/more.conf: Line 1) Unmatched quote: 'auth_pass \"other",
            f"(/etc/more.conf: Line 1) Unmatched quote: 'auth_pass {MASK}",
        ),
        ("(Line 3) Unknown keyword '\udcdcber'", "(Line 3) Unknown keyword '\\xdcber'"),
    ],
)
def test_what_keepalived_says_is_shown_without_passwords(message: str, shown: str) -> None:
    assert told([message], [WORD]) == [shown]


def test_bytes_of_other_people_are_printable() -> None:
    latin = b"# \xdcbergabe\n".decode("utf-8", "surrogateescape")
    assert printable(latin) == "# \\xdcbergabe\n"
    assert printable("\x1b[2Jcleared\ttab \x00 \ud800 ü") == "\\x1b[2Jcleared\ttab \\x00 \\ud800 ü"
    files = on_disk(File(latin, 0o644))
    outcome = plan.plan_present(plan.Ledger(), "keepalived", plan.PATH, "new\n", files, None)
    assert outcome.plan.before == (f"# {plan.PATH}", "# \\xdcbergabe")
    # The copy has the very bytes.
    assert outcome.copy == File(latin, 0o600)


@pytest.mark.parametrize(
    ("status", "lines", "taken"),
    [
        (0, [], True),
        (0, ["WARNING - default user 'keepalived_script' for script execution does not exist - please create."], True),
        (5, ["(lvs) No VIP specified; at least one is sensible"], True),
        (5, ['(Line 7) Keyword "vmac_garp_intvl" is deprecated - please use "garp_extra_if"'], True),
        (5, ['(/etc/keepalived/keepalived.conf: Line 7) "gw" for routes is deprecated. Please use "via"'], True),
        (5, ["Warning - script unused is not used"], True),
        (
            5,
            [
                "Warning - quorum 1 for [10.0.0.1]:tcp:80 exceeds total weight of real servers 0, reducing quorum to 0",
                "Virtual server [10.0.0.1]:tcp:80: hysteresis 0 >= quorum 0; setting hysteresis to 4294967295",
            ],
            True,
        ),
        (
            5,
            ["Warning - quorum 3 for [10.0.0.1]:tcp:80 exceeds total weight of real servers 2, reducing quorum to 2"],
            False,
        ),
        (5, ["(Line 3) Unknown keyword 'nonsense'"], False),
        (5, ["(lvs) No VIP specified; at least one is sensible", "(Line 3) Unknown keyword 'nonsense'"], False),
        (5, ["retry value invalid - 0"], False),
        # Nothing that it said explains the end.
        (5, [], False),
        (4, ["(lvs) No VIP specified; at least one is sensible"], False),
        (6, ["SECURITY VIOLATION - scripts are being executed but script_security not enabled."], False),
        (1, [], False),
        (-15, [], False),
    ],
)
def test_advice_is_no_refusal(status: int, lines: list[str], taken: bool) -> None:
    assert verdict(status, lines).taken is taken


def test_a_refusal_for_security_says_what_to_do() -> None:
    assert "lvs_keepalived.script_user" in verdict(6, ["SECURITY VIOLATION"]).remedy


def test_passwords_as_bird_takes_them() -> None:
    text = 'password\n    "first1";\npassword"second2";\npasswords { password "third3"; };\n# password "fourth4"\n'
    assert secrets_of(text) == {"first1", "second2", "third3"}
    hidden = without_passwords(text, [], "HIDDEN")
    assert not any(each in hidden for each in ("first1", "second2", "third3"))
    assert not any(each in line for line in masked(text.splitlines(), []) for each in ("first1", "second2", "third3"))
