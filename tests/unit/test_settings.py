"""Settings: which place wins, where a value says it comes from, and how a bad one is refused."""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from firstcause.api.settings import (
    OTHER_VARIABLES,
    RUNTIME,
    Loaded,
    SettingRefused,
    Settings,
    changed,
    load,
    variable_of,
)

SECRET = "correct-horse-battery-staple"
NOBODY = 65534
NOTHING = Path("/nowhere/at/all")


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def loaded(
    *,
    cwd: Path = NOTHING,
    environ: Mapping[str, str] | None = None,
    flags: Mapping[str, object] | None = None,
) -> Loaded:
    return load(flags or {}, cwd=cwd, environ=environ or {})


def refusal(
    *,
    cwd: Path = NOTHING,
    environ: Mapping[str, str] | None = None,
    flags: Mapping[str, object] | None = None,
) -> SettingRefused:
    with pytest.raises(SettingRefused) as caught:
        loaded(cwd=cwd, environ=environ, flags=flags)
    return caught.value


def test_nobody_has_said_anything() -> None:
    nothing = loaded()
    assert nothing.settings == Settings()
    assert set(nothing.origins) == set(Settings.model_fields)
    assert set(nothing.origins.values()) == {"default"}
    assert nothing.settings.host == "127.0.0.1"
    assert nothing.settings.state_dir.name == "firstcause"


def test_flags_win_over_the_environment_and_that_over_a_file(tmp_path: Path) -> None:
    file = write(tmp_path / "firstcause.toml", "port = 1\nstall_s = 11\nring_events = 111\n")
    found = loaded(
        cwd=tmp_path,
        environ={"FIRSTCAUSE_PORT": "2", "FIRSTCAUSE_STALL_S": "22"},
        flags={"port": 3, "host": None},
    )
    settings, origins = found.settings, found.origins
    assert (settings.port, origins["port"]) == (3, "flag --port")
    assert (settings.stall_s, origins["stall_s"]) == (22, "FIRSTCAUSE_STALL_S")
    assert (settings.ring_events, origins["ring_events"]) == (111, str(file))
    assert origins["host"] == "default"


def test_the_nearest_folder_that_has_settings_wins_whole(tmp_path: Path) -> None:
    write(tmp_path / "firstcause.toml", "port = 1\nstall_s = 11\n")
    write(tmp_path / "near/firstcause.toml", "port = 2\n")
    below = tmp_path / "near/down/here"
    below.mkdir(parents=True)
    assert loaded(cwd=tmp_path).settings.stall_s == 11
    assert (loaded(cwd=below).settings.port, loaded(cwd=below).origins["stall_s"]) == (2, "default")


def test_a_table_of_pyproject(tmp_path: Path) -> None:
    project = write(tmp_path / "pyproject.toml", "[tool.firstcause]\nport = 1\n")
    assert loaded(cwd=tmp_path).origins["port"] == f"{project} [tool.firstcause]"
    own = write(tmp_path / "firstcause.toml", "port = 2\n")
    assert loaded(cwd=tmp_path).origins["port"] == str(own)


@pytest.mark.parametrize("text", ["[tool.ruff]\n", "tool = 3 # firstcause\n", "not = = toml", ""])
def test_a_pyproject_that_does_not_speak_of_us_is_passed_over(tmp_path: Path, text: str) -> None:
    write(tmp_path / "firstcause.toml", "port = 1\n")
    write(tmp_path / "down/pyproject.toml", text)
    assert loaded(cwd=tmp_path / "down").settings.port == 1


def test_a_path_in_a_file_starts_at_the_file(tmp_path: Path) -> None:
    write(tmp_path / "firstcause.toml", 'state_dir = "state"\nbrowser = "/usr/bin/chromium"\n')
    (tmp_path / "down").mkdir()
    settings = loaded(cwd=tmp_path / "down").settings
    assert settings.state_dir == tmp_path / "state"
    assert settings.browser == "/usr/bin/chromium"
    write(tmp_path / "firstcause.toml", 'state_dir = "~/state"')
    assert loaded(cwd=tmp_path).settings.state_dir == Path.home() / "state"


def test_a_path_at_home() -> None:
    settings = loaded(environ={"FIRSTCAUSE_STATE_DIR": "~/state"}).settings
    assert settings.state_dir == Path.home() / "state"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("#pay, .total", ("#pay", ".total")),
        ('["#pay, .total", "b"]', ("#pay, .total", "b")),
        ("[data-total]", ("[data-total]",)),
        ("#pay,", ("#pay",)),
    ],
)
def test_a_list_in_a_variable(written: str, meant: tuple[str, ...]) -> None:
    assert loaded(environ={"FIRSTCAUSE_SELECTORS": written}).settings.selectors == meant


def test_an_empty_variable_is_not_given() -> None:
    assert loaded(environ={"FIRSTCAUSE_PORT": ""}).origins["port"] == "default"


def test_variables_of_others() -> None:
    environ = {"PORT": "1", "firstcause_port": "2", **dict.fromkeys(OTHER_VARIABLES, "x")}
    assert set(loaded(environ=environ).origins.values()) == {"default"}


def test_without_arguments_it_is_this_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "firstcause.toml", "stall_s = 5\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FIRSTCAUSE_PORT", "7")
    settings = load().settings
    assert (settings.port, settings.stall_s) == (7, 5)


def test_a_folder_that_somebody_has_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert load(environ={}).settings == Settings()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("port = 99999", "must be less than or equal to 65535, and is 99999. The port"),
        ("port = true", "must not be true or false"),
        ("port = 'x'", "must be a valid integer, and is x."),
        ("ring_mb = nan", "must be a finite number"),
        ("journal = 'sqlit'", "must be 'sqlite' or 'memory', and is sqlit. Did you mean sqlite?"),
        ("hang_stacks = 3", "must be a valid boolean"),
        ("project = '../x'", "must match"),
        ("host = 'localhost:80'", "without a port"),
        ("host = ''", "and is empty"),
        ("allowed_hosts = ['http://x']", "without http://"),
        ("allowed_hosts = 5", "must be a list"),
        ("allowed_origins = ['https://x/']", "without a path"),
        ("allowed_origins = ['*']", "without a path and without *"),
        ("selectors = ['']", "at least 1 character"),
        ("state_dir = ''", "must name a folder"),
        ("throttle_ms = -1", "greater than or equal to 0"),
        ("ring_events = 9", "greater than or equal to 10"),
        ("inline_events = 201", "less than or equal to 200"),
    ],
)
def test_a_value_that_can_not_be(tmp_path: Path, text: str, words: str) -> None:
    file = write(tmp_path / "firstcause.toml", text)
    error = refusal(cwd=tmp_path)
    assert error.message.startswith(f"{text.partition(' ')[0]} in {file} must")
    assert words in str(error)
    assert error.code == "bad_setting"


def test_a_name_that_does_not_exist(tmp_path: Path) -> None:
    file = write(tmp_path / "firstcause.toml", "prot = 1")
    assert str(refusal(cwd=tmp_path)) == f"prot in {file} is not a setting. Did you mean port?"
    error = refusal(environ={"FIRSTCAUSE_PROT": "1"})
    assert str(error) == "FIRSTCAUSE_PROT is not a setting. Did you mean FIRSTCAUSE_PORT?"
    assert str(refusal(environ={"FIRSTCAUSE_port": "1"})).endswith("Did you mean FIRSTCAUSE_PORT?")
    error = refusal(flags={"throtle_ms": 1})
    assert str(error) == "--throtle-ms is not a setting. Did you mean --throttle-ms?"
    assert "firstcause config" in refusal(environ={"FIRSTCAUSE_XYZZY": "1"}).hint


def test_a_refusal_says_where_the_value_stands(tmp_path: Path) -> None:
    project = write(tmp_path / "pyproject.toml", "[tool.firstcause]\nport = -1\n")
    assert f"port in {project} [tool.firstcause] must" in str(refusal(cwd=tmp_path))
    assert str(refusal(environ={"FIRSTCAUSE_PORT": "-1"})).startswith("FIRSTCAUSE_PORT must")
    assert str(refusal(flags={"max_body_kb": 0})).startswith("--max-body-kb must")


def test_what_kubernetes_puts_into_a_pod_is_recognised() -> None:
    environ = {"FIRSTCAUSE_SERVICE_HOST": "10.0.0.7", "FIRSTCAUSE_PORT": "tcp://10.0.0.7:80"}
    assert "enableServiceLinks" in refusal(environ=environ).hint


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("firstcause.toml", b"\n\nport = = 1", ["is not TOML", "line 3"]),
        ("firstcause.toml", b"project = '\xff'", ["is not UTF-8"]),
        ("pyproject.toml", b"[tool.firstcause]\nport = = 1", ["is not TOML", "line 2"]),
        ("pyproject.toml", b"[tool]\nfirstcause = 1", ["must be a table"]),
    ],
)
def test_a_file_that_can_not_be_read(tmp_path: Path, name: str, data: bytes, words: list[str]) -> None:
    (tmp_path / name).write_bytes(data)
    error = refusal(cwd=tmp_path)
    for word in (str(tmp_path / name), *words):
        assert word in str(error)


@contextmanager
def closed(path: Path) -> Generator[None]:
    """As long as the block lasts it is not for us; root may do all, so it becomes somebody else."""
    for folder in list(path.parents)[:3]:
        folder.chmod(0o755)
    mode = path.stat().st_mode
    path.chmod(0)
    user = os.geteuid()
    if user == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(user)
        path.chmod(mode)


def test_a_file_that_is_not_for_us(tmp_path: Path) -> None:
    with closed(write(tmp_path / "firstcause.toml", "port = 1")):
        assert "can't be read: permission denied" in str(refusal(cwd=tmp_path))


def test_a_folder_that_is_closed_to_us_has_no_settings(tmp_path: Path) -> None:
    write(tmp_path / "closed/firstcause.toml", "port = 1")
    with closed(tmp_path / "closed"):
        assert loaded(cwd=tmp_path / "closed").settings.port == 0


@pytest.mark.parametrize(
    "token", ["hunter2", "hunter2 has a space in it", f"{SECRET}\nhunter2", "hunter2" * 99]
)
def test_a_refused_token_is_not_shown(tmp_path: Path, token: str) -> None:
    write(tmp_path / "firstcause.toml", f'token = ["{token}"]'.replace("\n", "\\n"))
    for error in (
        refusal(environ={"FIRSTCAUSE_TOKEN": token}),
        refusal(flags={"token": token}),
        refusal(cwd=tmp_path),
    ):
        assert "token" in error.message.lower()
        assert "hunter2" not in repr(error) + str(error) + repr(error.__context__) + repr(error.__cause__)
    with pytest.raises(ValidationError) as caught:
        Settings(token=token)  # pyright: ignore[reportArgumentType]
    assert "hunter2" not in str(caught.value)


def test_an_accepted_token_is_not_shown() -> None:
    found = loaded(environ={"FIRSTCAUSE_TOKEN": SECRET})
    assert found.settings.token.get_secret_value() == SECRET
    assert SECRET not in repr(found) + str(found.settings) + found.settings.model_dump_json()


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Settings().port = 1


def test_the_constructor_knows_nothing_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIRSTCAUSE_PORT", "7")
    monkeypatch.setenv("PORT", "8")
    assert Settings().port == 0


def test_every_setting_says_what_it_is() -> None:
    for name, field in Settings.model_fields.items():
        assert str(field.description).endswith("."), name


def test_what_may_be_changed_while_running() -> None:
    before = Settings.model_validate({"token": SECRET, "port": 4400})
    after = changed(before, {"throttle_ms": 250, "ring_mb": 4})
    assert (after.throttle_ms, after.ring_mb) == (250, 4)
    assert before.throttle_ms == 1000
    assert after.token.get_secret_value() == SECRET
    assert changed(before, {}) == before
    for name in RUNTIME:
        assert changed(before, {name: getattr(before, name)}) == before


@pytest.mark.parametrize(
    ("patch", "words"),
    [
        ({"throttle_ms": -1}, "throttle_ms must be greater than or equal to 0, and is -1."),
        ({"throttle_ms": None}, "throttle_ms must be a valid integer"),
        ({"throtle_ms": 1}, "throtle_ms is not a setting. Did you mean throttle_ms?"),
        ({"port": 1}, "port can't be changed while the server runs."),
        ({"token": SECRET}, "token can't be changed while the server runs."),
        ({"xyzzy": 1}, "These can be changed: throttle_ms, "),
    ],
)
def test_what_may_not_be_changed_while_running(patch: dict[str, object], words: str) -> None:
    with pytest.raises(SettingRefused) as caught:
        changed(Settings(), patch)
    assert words in str(caught.value)
    assert SECRET not in str(caught.value)


@given(
    name=st.sampled_from(sorted(Settings.model_fields)) | st.text(max_size=20),
    value=st.text() | st.integers() | st.floats() | st.lists(st.text()) | st.booleans() | st.none(),
)
def test_any_value_is_taken_or_refused_in_words(name: str, value: object) -> None:
    with suppress(SettingRefused):
        loaded(flags={name: value}, environ={variable_of(name): str(value)})
