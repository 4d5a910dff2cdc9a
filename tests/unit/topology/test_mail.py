# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whom keepalived tells by mail: what the file says, what is refused, and what an import makes of it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.lvs.topology.plugins.plugin_utils._import.files import Given
from ansible_collections.lvs.topology.plugins.plugin_utils._import.moving_in import imported
from ansible_collections.lvs.topology.plugins.plugin_utils._import.remarks import LOST
from ansible_collections.lvs.topology.tests.unit.topology import real_tools
from ansible_collections.lvs.topology.tests.unit.topology.inventories import Model, r5

MAIL = {"to": ["ops@example.com", "a+b@example.org"], "from": "lb@example.com", "server": "192.0.2.25", "port": 587}
EVERYTHING = {**MAIL, "helo_name": "lb1.example.com", "timeout": 5, "alert": True}


def told(mail: Any, **vrrp: Any) -> Model:
    model = r5()
    for director in ("lb1", "lb2"):
        model.hostvars[director]["lvs_keepalived"] = {"mail": mail}
        model.hostvars[director].setdefault("lvs_vrrp", {}).update(vrrp)
    return model


def test_the_file_says_it_and_is_read_again() -> None:
    plan = told(EVERYTHING, smtp_alert=True).plan("lb1", "keepalived")
    text = real_tools.rendered(plan)
    for line in ("    notification_email {", "        a+b@example.org", "    smtp_server 192.0.2.25 587"):
        assert f"{line}\n" in text
    for line in ("    notification_email_from lb@example.com", "    smtp_connect_timeout 5", "    smtp_alert true"):
        assert f"{line}\n" in text
    assert text.count("smtp_alert true") == 2
    if real_tools.why_not("keepalived") is None:
        assert real_tools.keepalived_refuses(plan) is None
    found = imported(Given({"keepalived.conf": text}), ["keepalived.conf"], ["lb1"])
    assert not [each for each in found.remarks if each.kind == LOST]
    assert found.hostvars["lb1"]["lvs_keepalived"]["mail"] == EVERYTHING
    assert found.hostvars["lb1"]["lvs_vrrp"]["smtp_alert"] is True


@pytest.mark.parametrize(
    ("mail", "said"),
    [
        ({}, "mail.to: is missing"),
        ({"to": ["ops"]}, "mail.to[0]: 'ops' is no address of mail"),
        ({"to": ["a b@example.com"]}, "mail.to[0]: 'a b@example.com' is no address of mail"),
        ({**MAIL, "from": "x@{y}"}, "mail.from: "),
        ({**MAIL, "server": "a b"}, "mail.server: 'a b' is no name of a host"),
        ({"to": ["ops@example.com"], "port": 25}, "mail.port: has no server to go with"),
        ({**MAIL, "sever": "x"}, "mail.sever: is not a known key; did you mean server"),
        (["ops@example.com"], "mail: must be a mapping"),
    ],
)
def test_mistakes(mail: Any, said: str) -> None:
    lines = [line.replace(" (lb1, lb2)", "") for line in told(mail).mistakes()]
    assert [line for line in lines if said in line], lines


def test_mail_to_nobody_is_listed() -> None:
    text = "global_defs {\n    smtp_server 192.0.2.25\n}\nvrrp_instance a {\n    virtual_router_id 7\n}\n"
    found = imported(Given({"keepalived.conf": text}), ["keepalived.conf"])
    lost = [str(each) for each in found.remarks if each.kind == LOST]
    assert lost[0].startswith("keepalived.conf:2: smtp_server")


def test_mails_that_nobody_gets() -> None:
    model = r5()
    for director in ("lb1", "lb2"):
        model.hostvars[director]["lvs_services"][0]["real_servers"][1]["smtp_alert"] = True
        model.hostvars[director]["lvs_vrrp"]["smtp_alert"] = True

    def notes() -> list[str]:
        return [each for each in model.plan("lb1", "keepalived").get("notes", []) if "nobody gets a mail" in each]

    (said,) = notes()
    assert "real_servers[1].smtp_alert: nobody gets a mail" in said
    model.hostvars["lb1"]["lvs_keepalived"] = {"global_raw": "notification_email {\n    ops@example.com\n}"}
    assert not notes()
    model.hostvars["lb1"]["lvs_keepalived"] = {"mail": MAIL}
    assert not notes()
