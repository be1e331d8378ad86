"""Every verb of a person writes down who did it, to whom, once, and only where something came of it."""

from datetime import timedelta
from functools import partial

import pytest
from django.utils import timezone

from accounts.models import AuditEntry
from monitoring.clinical.limits import Severity
from monitoring.clinical.overrides import Override
from monitoring.clinical.signs import Sign
from monitoring.models import Admission, Alert, RejectedVital
from monitoring.models.threshold import Part
from monitoring.services import admissions, alerts, ingestion, patients, thresholds
from monitoring.services.layers import Scope
from monitoring.services.refusals import Refused
from tests.audit.trail import trail
from tests.services.alerting import raised
from tests.world import item, open_alert

SPO2 = (Sign.SPO2, Part.ALWAYS)
ACTED = ("who", "what", "patient", "ward__slug", "about")
HOUR = timedelta(hours=1)


class TestAlerts:
    @pytest.fixture
    def alert(self, ada, gateway, now):
        gateway.post([item(ada, now, spo2=84)])
        return open_alert(ada)

    def test_each_verb_once(self, alert, noor, dora, now):
        for _ in range(2):
            alerts.silence(alert, minutes=2, by=noor, at=now)
            alerts.mark_as_noise(alert, by=noor, at=now, why="probe off")
            alerts.acknowledge(alert, by=noor, at=now)
        for _ in range(2):
            alerts.resolve(alert, by=dora, at=now, note="Ada Byron is well")

        about, of = f"alert:{alert.pk}", ("P-ADA", "north")
        assert trail(*ACTED) == [
            ("noor", "silenced", *of, about),
            ("noor", "marked_as_noise", *of, about),
            ("noor", "acknowledged", *of, about),
            ("dora", "resolved", *of, about),
        ]
        assert AuditEntry.objects.get(what="resolved").detail == {"condition": "spo2_low", "severity": "critical"}
        assert AuditEntry.objects.filter(what="silenced").first().detail["minutes"] == 2

    @pytest.mark.parametrize(
        ("what", "deed"), [("acknowledged", alerts.acknowledge), ("silenced", partial(alerts.silence, minutes=2))]
    )
    def test_one_hand_that_takes_or_silences_several_names_them(self, ada, noor, gateway, now, what, deed):
        gateway.post([item(ada, now, spo2=84, heart_rate=150)])
        bundle = Alert.objects.get(condition="multiple_signs")
        members = Alert.objects.filter(kind="physiological").exclude(pk=bundle.pk)

        deed(bundle, by=noor, at=now)

        entry = AuditEntry.objects.get(what=what)
        assert entry.about == f"alert:{bundle.pk}"
        assert set(entry.detail["with"]) == {str(member.pk) for member in members}

    def test_what_is_refused_by_the_verb_is_no_deed(self, alert, noor, now):
        with pytest.raises(alerts.SilenceTooLong):
            alerts.silence(alert, minutes=9_999, by=noor, at=now)
        with pytest.raises(alerts.SeverityRisen):
            alerts.acknowledge(alert, by=noor, at=now, shown=alerts.Shown(Severity.INFO))

        assert trail("pk") == []

    def test_an_alert_of_a_device_has_no_patient(self, ada, noor, now):
        alert = raised(ada, now)
        Alert.objects.filter(pk=alert.pk).update(patient=None, admission=None, kind="technical")
        alert.refresh_from_db()

        alerts.acknowledge(alert, by=noor, at=now)

        assert trail("patient", "ward__slug") == [("", "north")]


class TestStays:
    def test_from_the_first_bed_to_the_door(self, ada, north, south, noor, now):
        stay = Admission.objects.get(patient=ada)
        admissions.transfer(stay, bed=south.beds.get(position=2), by=noor, at=now - HOUR)
        admissions.note(stay, "Ada Byron likes tea", by=noor, at=now)
        admissions.discharge(stay, by=noor, at=now)
        again = admissions.admit(ada, bed=north.beds.get(position=1), by=noor, at=now)

        first, second = f"admission:{stay.pk}", f"admission:{again.pk}"
        assert trail(*ACTED) == [
            ("noor", "transferred", "P-ADA", "south", first),
            ("noor", "changed", "P-ADA", "south", first),
            ("noor", "discharged", "P-ADA", "south", first),
            ("noor", "admitted", "P-ADA", "north", second),
        ]
        assert "tea" not in str(trail("detail"))

    def test_a_stay_may_be_dated_back_and_the_trail_is_not(self, ada, noor, now):
        before = timezone.now()

        admissions.discharge(Admission.objects.get(patient=ada), by=noor, at=now - HOUR)

        entry = AuditEntry.objects.get(what="discharged")
        assert before <= entry.at <= timezone.now()
        assert entry.detail["said_at"] == str(now - HOUR)

    def test_the_bed_it_is_in_already_is_no_transfer(self, ada, north, noor, now):
        admissions.transfer(Admission.objects.get(patient=ada), bed=north.beds.get(position=1), by=noor, at=now)

        assert trail("pk") == []

    def test_a_device_that_is_put_on_another(self, monitor, ben, noor, now):
        admissions.assign(monitor.device, patient=ben, by=noor, at=now)
        admissions.assign(monitor.device, patient=ben, by=noor, at=now)

        assert trail(*ACTED) == [("noor", "assigned", "P-BEN", "north", "device:M7")]
        assert trail("detail")[0]["taken_off"] == "P-ADA"


class TestPatients:
    def test_what_is_settled_of_a_patient(self, ada, dora, root, now):
        for _ in range(2):
            patients.set_scale(ada, scale=2, by=dora, at=now, why="COPD")
            patients.set_pregnant(ada, pregnant=True, by=dora, at=now, why="week 20")
        admissions.discharge(Admission.objects.get(patient=ada), by=dora, at=now)
        for verb in (patients.archive, patients.archive, patients.bring_back, patients.bring_back):
            verb(ada, by=root, at=now)

        assert trail("who", "what", "patient", "about") == [
            ("dora", "scale_changed", "P-ADA", "patient:P-ADA"),
            ("dora", "pregnancy_changed", "P-ADA", "patient:P-ADA"),
            ("dora", "discharged", "P-ADA", f"admission:{Admission.objects.get().pk}"),
            ("root", "archived", "P-ADA", "patient:P-ADA"),
            ("root", "brought_back", "P-ADA", "patient:P-ADA"),
        ]
        assert trail("detail")[:2] == [{"was": 1, "becomes": 2}, {}]

    def test_who_lies_in_a_bed_is_not_archived(self, ada, root, now):
        with pytest.raises(patients.StillAdmitted):
            patients.archive(ada, by=root, at=now)

        ada.refresh_from_db()
        assert ada.archived_at is None
        assert trail("pk") == []


class TestLimits:
    def test_set_changed_and_taken_out_in_each_scope(self, ada, north, root, dora, now):
        thresholds.put(Scope(), SPO2, Override(80, 88), by=root, at=now)
        thresholds.put(Scope(ward=north), SPO2, Override(81, 88), by=root, at=now)
        thresholds.put(Scope(patient=ada), SPO2, Override(82, 88), by=dora, at=now)
        thresholds.put(Scope(patient=ada), SPO2, Override(82, 88), by=dora, at=now)  # the same again
        thresholds.put(Scope(patient=ada), SPO2, Override(83, 88), by=dora, at=now)
        thresholds.remove(Scope(patient=ada), SPO2, by=dora, at=now)

        assert trail(*ACTED) == [
            ("root", "limits_changed", "", None, "limits:hospital"),
            ("root", "limits_changed", "", "north", "limits:north"),
            *[("dora", "limits_changed", "P-ADA", "north", "limits:P-ADA")] * 3,
        ]
        assert [told["signs"] for told in trail("detail")][2:] == [{"spo2": "made"}, {"spo2": "changed"}, {"spo2": "removed"}]

    def test_all_at_once_is_one_entry_and_the_night_another(self, north, root, now):
        night = (timezone.datetime.min.replace(hour=22).time(), timezone.datetime.min.replace(hour=6).time())
        wanted = {SPO2: Override(81, 88), (Sign.SPO2, Part.NIGHT): Override(80, 87)}

        thresholds.replace_ward(north, wanted, night, by=root, at=now, version_seen=0)

        assert trail("what", "detail") == [
            ("night_changed", {"was": None, "becomes": {"begins": "22:00", "ends": "06:00"}}),
            ("limits_changed", {"signs": {"spo2": "made", "spo2 night": "made"}}),
        ]

    def test_what_the_rules_refuse_is_no_deed(self, ada, dora, now):
        with pytest.raises(Refused):
            thresholds.put(Scope(patient=ada), SPO2, Override(99, 88), by=dora, at=now)

        assert trail("pk") == []


def test_a_refused_vital_that_is_sent_again(ada, noor, gateway, now):
    gateway.post([{"patient_id": "P-NEW", "spo2": 97, "timestamp": now.isoformat()}])
    refused = RejectedVital.objects.get()
    ingestion.replay(refused, by=noor, now=now)
    assert trail("pk") == []
    ada.__class__.objects.filter(pk=ada.pk).update(patient_id="P-NEW")

    for _ in range(2):
        ingestion.replay(refused, by=noor, now=now)

    assert trail("who", "what", "about", "detail") == [
        ("noor", "replayed", f"rejected_vital:{refused.pk}", {"device": "GW-NORTH"})
    ]
