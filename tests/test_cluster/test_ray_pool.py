"""What a pool makes of Ray's silence, and of a token; what it does with a real Ray is in test_collection_faults."""

from __future__ import annotations

import os
import socket
import time

import pytest

from tpsparse.cluster import ray_pool
from tpsparse.cluster.pool import Died
from tpsparse.cluster.ray_pool import RayPool
from tpsparse.cluster.work import Refused
from tpsparse.errors import InputError

ray = pytest.importorskip("ray")
NOBODY = "127.0.0.1:1"
"""Where nothing answers."""


@pytest.fixture
def pool(monkeypatch):
    """Of a cluster that is somewhere, but without a worker."""
    monkeypatch.setattr(ray_pool, "DEATH_SECONDS", 0.0)
    made = RayPool.__new__(RayPool)
    made._ray, made.address, made._home = ray, "node0:6379", NOBODY
    made._asked, made._silent, made._deaths = time.monotonic(), 0, []
    return made


@pytest.fixture
def answering():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def ends_with(error, pool, monkeypatch):
    def get(call):
        raise error

    monkeypatch.setattr(ray, "get", get)
    monkeypatch.setattr(ray, "wait", lambda calls, num_returns, timeout: (calls, []))
    pool._calls = {"call": 7}
    return dict(pool.wait(0.0)).get(7)


@pytest.mark.parametrize(
    "error",
    [
        ray.exceptions.ActorDiedError(),
        ray.exceptions.ActorUnavailableError("it is gone", b"0" * 16),
        ray.exceptions.NodeDiedError("it is gone"),
    ],
)
def test_a_worker_that_ends_with_its_cluster(pool, answering, monkeypatch, error):
    told = "the Ray at node0:6379 is gone, and its workers with it: run the same command again when it is back"
    assert ends_with(error, pool, monkeypatch) == Refused(told)
    pool._home = answering
    assert isinstance(ends_with(error, pool, monkeypatch), Died)
    # What ends with the head may be seen before that.
    monkeypatch.setattr(ray_pool, "DEATH_SECONDS", 0.05)
    assert ends_with(error, pool, monkeypatch) is None
    pool._home = NOBODY
    time.sleep(0.05)
    assert pool.wait(0.0) == [(7, Refused(told))] and pool.wait(0.0) == []


def test_the_ray_of_this_machine_ends(pool, answering, monkeypatch):
    """Then the workers of this process end as if it were dead, which it is not, and the cluster may go on."""
    pool._home = answering
    monkeypatch.setattr(ray.exceptions.ActorDiedError, "__str__", lambda self: "dead because its owner has died. Owner")
    assert isinstance(ends_with(ray.exceptions.ActorDiedError(), pool, monkeypatch), Refused)


def test_a_token_that_is_not_asked_for(pool, answering, monkeypatch):
    pool._home = answering
    error = ray.exceptions.ActorDiedError()
    monkeypatch.setattr(ray.exceptions.ActorDiedError, "__str__", lambda self: "The actor never ran.")
    for mode, told in (("token", " Set RAY_AUTH_MODE=disabled if this Ray asks for no token"), ("disabled", "")):
        monkeypatch.setenv("RAY_AUTH_MODE", mode)
        assert ends_with(error, pool, monkeypatch) == Died("The actor never ran." + told)


def test_a_cluster_that_does_not_answer_for_long(pool, answering, monkeypatch):
    monkeypatch.setattr(ray, "wait", lambda calls, num_returns, timeout: ([], calls))
    pool._calls = {"call": 7}
    pool.wait(0.0)  # it was asked a moment ago
    monkeypatch.setattr(ray_pool, "WATCH_SECONDS", 0.0)
    for _ in range(ray_pool.MOST_SILENT - 1):
        pool.wait(0.0)
    pool._home = answering
    pool.wait(0.0)  # it is back, and the count begins anew
    pool._home = NOBODY
    for _ in range(ray_pool.MOST_SILENT - 1):
        pool.wait(0.0)
    with pytest.raises(InputError, match="the Ray at node0:6379 is gone"):
        pool.wait(0.0)


@pytest.mark.parametrize(
    ("file", "given", "expected"),
    [
        (False, {}, None),
        (True, {}, "token"),
        (True, {"RAY_AUTH_MODE": "disabled"}, "disabled"),
        (False, {"RAY_AUTH_TOKEN": "0" * 40}, "token"),
        (False, {"RAY_AUTH_TOKEN_PATH": "/some/file"}, "token"),
    ],
)
def test_a_token_that_is_there_is_shown(tmp_path, monkeypatch, file, given, expected):
    """Ray itself uses it where it starts a cluster, not where it is told of one."""
    for name in ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
        monkeypatch.setenv(name, "")  # so that the end of the test restores it
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    if file:
        (tmp_path / ".ray").mkdir()
        (tmp_path / ".ray" / "auth_token").write_text("0" * 40)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    ray_pool._use_token()
    assert os.environ.get("RAY_AUTH_MODE") == expected
