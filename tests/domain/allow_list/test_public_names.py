from __future__ import annotations

import subprocess
import sys

from chekt_mcp.domain import allow_list


def test_every_public_name_can_be_imported() -> None:
    for name in allow_list.__all__:
        assert getattr(allow_list, name) is not None


def test_no_public_name_is_also_a_module_that_could_stand_in_its_place() -> None:
    for name in allow_list.__all__:
        assert type(getattr(allow_list, name)).__name__ != "module"


def test_importing_the_package_loads_none_of_its_parts_and_no_library() -> None:
    program = (
        "import sys, chekt_mcp.domain.allow_list.version as _\n"
        "print([name for name in sys.modules if name.startswith(('chekt_mcp.domain.allow_list.', 'netaddr'))])"
    )

    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert loaded.stdout.strip() == "['chekt_mcp.domain.allow_list.version']"
