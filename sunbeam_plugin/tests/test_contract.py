# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0

"""What we ask of Sunbeam is there: recorded in ``contract/``, and compared with Sunbeam itself."""

import importlib
import inspect
import os
import pathlib
import subprocess
import sys

import pytest
import yaml
from harness import IS_REAL, Sunbeam, feature

HERE = pathlib.Path(__file__).parent
RECORDED = HERE / "contract"
CHECKOUT = os.environ.get("INSTANCE_HA_SUNBEAM")
MODULES = sorted(
    ".".join(path.relative_to(RECORDED).with_suffix("").parts)
    for path in RECORDED.rglob("*.py")
    if path.name != "__init__.py"
)
only_real = pytest.mark.skipif(not IS_REAL, reason="needs Sunbeam itself: pytest --sunbeam")


@pytest.mark.skipif(CHECKOUT is None, reason="INSTANCE_HA_SUNBEAM names no checkout")
def test_the_same_commands_do_the_same_with_sunbeam_itself():
    """Run the tests of the commands once more, in the environment of sunbeam-python."""
    checkout = pathlib.Path(str(CHECKOUT)).resolve()
    named = os.environ.get("INSTANCE_HA_SUNBEAM_PYTHON")
    python = named or str(checkout / "sunbeam-python" / ".venv" / "bin" / "python")
    tests = [f"tests/test_{name}.py" for name in ("feature", "commands", "contract")]
    plain = ["-c", os.devnull, "--rootdir", ".", "-p", "no:cacheprovider"]
    environment = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME")}
    done = subprocess.run(
        [python, "-m", "pytest", "-q", *plain, "--sunbeam", str(checkout), *tests],
        cwd=HERE.parent,
        env=environment | {"PYTHONPATH": f"{HERE.parent}:{HERE}", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]


def recorded(module: str):
    """Return the recorded module, beside the one of Sunbeam."""
    path = RECORDED.joinpath(*module.split(".")).with_suffix(".py")
    spec = importlib.util.spec_from_file_location(f"recorded_{path.stem}", path)
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def public(owner) -> dict[str, object]:
    """Return what is defined there, and not only imported."""
    where = owner.__name__ if inspect.ismodule(owner) else owner.__module__
    return {
        name: found
        for name, found in ((name, getattr(owner, name)) for name in vars(owner))
        if (name == "__init__" or not name.startswith("_"))
        and (inspect.isclass(found) or inspect.isroutine(found))
        and getattr(found, "__module__", where) == where
    }


def differences(name: str, ours, real) -> list[str]:
    """Return the parameters that Sunbeam calls otherwise, or wants and we do not give."""
    mine = list(inspect.signature(ours).parameters.values())
    theirs = inspect.signature(real).parameters
    wanted = {
        each.name
        for each in theirs.values()
        if each.default is each.empty and each.kind is each.POSITIONAL_OR_KEYWORD
    }
    names = [each.name for each in mine]
    found = [f"{name}: no {each}" for each in names if each not in theirs]
    return found + [f"{name}: wants {each}" for each in wanted if each not in names]


@only_real
@pytest.mark.parametrize("module", MODULES)
def test_what_is_recorded_is_what_sunbeam_has(module):
    real = importlib.import_module(module)
    for name, ours in public(recorded(module)).items():
        theirs = getattr(real, name, None)
        assert theirs is not None, f"{module} has no {name}"
        if inspect.isroutine(ours):
            assert differences(name, ours, theirs) == []
            continue
        is_model = hasattr(theirs, "model_fields")
        for verb, method in public(ours).items():
            if inspect.isroutine(method) and not (is_model and verb == "__init__"):
                assert differences(f"{name}.{verb}", method, getattr(theirs, verb)) == []


@only_real
def test_every_manifest_that_sunbeam_brings_is_accepted(tmp_path, cloud):
    manifests = sorted(pathlib.Path(os.environ["SNAP"], "etc", "manifests").glob("*/*.yml"))
    assert len(manifests) >= 4
    deployment = Sunbeam(cloud, tmp_path, "http://maas").deployment()
    for path in manifests:
        manifest = deployment.parse_manifest(yaml.safe_load(path.read_text("utf-8")))
        said = manifest.features["instance-recovery"].software
        said.validate_against_default(feature().default_software_overrides())


@only_real
def test_what_sunbeam_generates_for_people_can_be_used(tmp_path, cloud):
    generate = vars(importlib.import_module("sunbeam.commands.manifest"))["_dump_feature"]
    sunbeam = Sunbeam(cloud, tmp_path, "http://maas")
    deployment = sunbeam.deployment()
    text = generate("instance-recovery", feature(), deployment.get_manifest())
    plain = "\n".join(line.replace("# ", "", 1) for line in text.splitlines())
    said = yaml.safe_load(plain)["instance-recovery"]
    feature().config_type().model_validate(
        {name: value for name, value in said["config"].items() if value is not None}
    )
    assert {"charms", "terraform"} <= said["software"].keys()


def test_the_recorded_sunbeam_is_used_only_where_there_is_no_other():
    assert (str(RECORDED) in sys.path) is not IS_REAL


def test_the_charms_that_stored_manifests_name_stay():
    ours = feature().default_software_overrides().charms
    assert {"consul-k8s", "consul-client", "masakari-k8s"} <= ours.keys()


def test_each_word_of_a_manifest_is_a_variable_of_the_plan():
    ((plan, said),) = feature().manifest_attributes_tfvar_map().items()
    folder = feature().default_software_overrides().terraform[plan].source
    declared = (folder / "variables.tf").read_text("utf-8")
    for words in said["charms"].values():
        for variable in words.values():
            assert f'variable "{variable}"' in declared


def test_every_option_is_in_what_is_shown_to_people():
    text = "\n".join(feature().preseed_questions_content())
    for name in feature().config_type().model_fields:
        assert f"{name.replace('_', '-')}:" in text
