"""The list of seeded faults fits the code: `make seeded-faults` would otherwise plant nothing."""

import pytest
from seeded_faults.faults import FAULTS, REPOSITORY, Fault


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.what)
def test_a_fault_can_be_planted(fault: Fault) -> None:
    assert (REPOSITORY / fault.file).read_text(encoding="utf-8").count(fault.right) == 1
    assert fault.wrong != fault.right
    assert all((REPOSITORY / test.partition("::")[0]).exists() for test in fault.tests)
