"""A real Ray cluster of three nodes on this machine, which loses one and gains another."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

FOUR = ("--only", "lsgan", "--only", "ls-gan", "--only", "ralsgan", "--only", "baseline")
SETTINGS = ("--data", "ring8", "--backbone", "mlp", "--width", "16", "--budget", "6k",
            "--seeds", "2", "--looks", "10", "--samples", "200", "--workers", "1",
            "--device", "cpu")  # fmt: skip


def ranked(out):
    """The leaderboard and every trial's scores, looks and weights: all but the times."""
    board = json.loads((out / "leaderboard.json").read_text())
    trials = {
        path.parent.name: without_times(json.loads(path.read_text()))
        for path in sorted(out.glob("trials/*/result.json"))
    }
    return without_times(board), trials


def without_times(value):
    if isinstance(value, dict):
        times = ("seconds", "measuring_seconds", "images_per_second")
        return {name: without_times(each) for name, each in value.items() if name not in times}
    return [without_times(each) for each in value] if isinstance(value, list) else value


def started(advice_file, out, *more):
    words = [sys.executable, "-m", "runner.cli", "run", str(advice_file), *SETTINGS, *FOUR]
    with open(f"{out}.txt", "w") as said:
        return subprocess.Popen(
            [*words, "-o", str(out), *more], stdout=said, stderr=said, start_new_session=True
        )


def until(holds, process, said, seconds=600):
    deadline = time.monotonic() + seconds
    while not holds():
        assert process.poll() is None, said.read_text()
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def three_nodes(monkeypatch):
    """A head and two more of one core each, and a way to kill and to add."""
    pytest.importorskip("ray")
    from ray.cluster_utils import Cluster as LocalCluster

    settings = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_worker_niceness": "0", "OMP_NUM_THREADS": "1"}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    a_node = {"num_cpus": 1, "object_store_memory": 80 * 2**20}
    cluster = LocalCluster(
        initialize_head=True, head_node_args={**a_node, "include_dashboard": False}
    )
    try:
        cluster.nodes = [cluster.add_node(**a_node) for _ in range(2)]
        cluster.add = lambda: cluster.nodes.append(cluster.add_node(**a_node))
        yield cluster
    finally:
        cluster.shutdown()


@pytest.mark.slow
def test_a_cluster_that_loses_a_node_and_gains_another_ranks_as_one_machine(
    three_nodes, advice_file, tmp_path
):
    alone, out, storage = tmp_path / "alone", tmp_path / "run", tmp_path / "storage"
    there = ("--ray", three_nodes.address, "--storage", str(storage))
    said = tmp_path / "run.txt"
    assert started(advice_file, alone).wait(900) == 0, (tmp_path / "alone.txt").read_text()

    driver = started(advice_file, out, *there)
    # Three of the four trials of the first rung are at work, one on each node.
    until(lambda: len(list(storage.glob("trials/*/node.json"))) == 3, driver, said)
    until(lambda: list(storage.glob("trials/*/checkpoint.pt")), driver, said)
    three_nodes.remove_node(three_nodes.nodes.pop(), allow_graceful=False)
    three_nodes.add()
    until(lambda: "was cut short" in said.read_text(), driver, said)
    os.killpg(driver.pid, signal.SIGKILL)  # and then the driver is lost, too
    driver.wait()
    assert not (out / "leaderboard.json").exists()

    assert started(advice_file, out, *there).wait(900) == 0, said.read_text()
    assert "trials at a time (1 CPU and 0 GPU a trial)" in said.read_text()
    assert ranked(out) == ranked(alone)
    weights = {p.parent.name: p.read_bytes() for p in storage.glob("trials/*/generator.*")}
    assert weights == {p.parent.name: p.read_bytes() for p in alone.glob("trials/*/generator.*")}
    assert (storage / "report.html").exists()
    assert not list(out.glob("trials/*/checkpoint.pt"))  # these stay where they are
