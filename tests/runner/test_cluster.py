"""Trials on many machines: what the driver keeps in mind, and what nodes do."""

import json
import os
import sys
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from knowledge.files import write_whole
from runner import cluster as clusters
from runner import node
from runner import run as runs
from runner.cli import app
from runner.cluster import Cluster, Home, Outcome, Room
from runner.execute import Stopped, results
from runner.node import carry_out
from runner.on_ray import Mailbox, RayNodes, on_ray
from runner.plan import Rung, RunPlan
from runner.prepare import RunError
from runner.race import Race
from runner.results import Leaderboard, TrialResult
from runner.run import race
from runner.storage import Folder
from runner.trial import Event
from tests.runner.runs import advice as advice_of
from tests.runner.runs import plan as planned
from tests.runner.runs import run_folder
from tests.runner.simulated import SimulatedNodes, result_at
from tests.runner.test_run import command, done

ARMS = ("a", "b", "c", "d", "baseline")
RUNGS = (Rung(budget=400_000, seeds=1, keep=2), Rung(budget=2_000_000, seeds=2, keep=None))
MERIT = {"a": 30.0, "b": 20.0, "c": 50.0, "d": 40.0, "baseline": 60.0}


def merit(trial):
    return MERIT[trial.arm] * (1 + trial.seed / 100)


@pytest.fixture
def plan():
    return planned(ARMS, 2).model_copy(update={"rungs": RUNGS, "control": "baseline"})


@pytest.fixture
def run(plan, tmp_path):
    """The folder of a run that has just been planned."""
    (tmp_path / "run").mkdir()
    write_whole(tmp_path / "run/plan.json", plan.model_dump_json(indent=1))
    return tmp_path / "run"


@pytest.fixture
def shared(tmp_path):
    return Folder(tmp_path / "shared")


def raced(run, storage, nodes, **more):
    plan = RunPlan.model_validate_json((run / "plan.json").read_bytes())
    race(plan, run, Cluster(run, storage, nodes, Room(), **more), lambda race: None)
    return Race(plan, results(run, plan.trials))


def simulated(storage, count=3, **more):
    return SimulatedNodes(storage, count, value=merit, **more)


# The driver --------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["elsewhere", "the run folder"])
def test_a_race_on_nodes_gives_every_task_to_one_of_them(run, shared, where):
    storage = shared if where == "elsewhere" else Folder(run)
    nodes = simulated(storage)
    race = raced(run, storage, nodes)
    assert race.over
    assert race.entrants[1] == ("a", "b", "baseline")
    assert len(nodes.begun) == 5 + 6  # one seed of all, two of those that went on
    assert sorted(os.listdir(run / "trials/c-seed0")) == ["result.json"]


def test_tasks_that_lose_their_node_are_begun_again_and_the_end_is_the_same(run, shared, plan):
    whole = raced(run, shared, simulated(shared)).results
    other = run.parent / "other"
    other.mkdir()
    write_whole(other / "plan.json", plan.model_dump_json(indent=1))
    storage = Folder(run.parent / "other-shared")
    nodes = simulated(storage, dies=lambda task, attempt: attempt < 2 and task.trial < "b")
    assert raced(other, storage, nodes).results == whole
    assert nodes.begun.count("a-seed0") == 2 * 3


def test_a_driver_that_was_killed_goes_on_from_the_storage(run, shared, tmp_path):
    class Killed(Exception):
        pass

    def killed_after(count):
        def value(trial):
            if len(nodes.begun) >= count:
                raise Killed
            return merit(trial)

        return value

    nodes = SimulatedNodes(shared, 1, length=lambda task, attempt: 0.3, value=killed_after(7))
    with pytest.raises(Killed):
        raced(run, shared, nodes)
    begun = list(nodes.begun)
    again = simulated(shared)
    home = Home(tmp_path / "new", shared)  # another machine, or an empty disk
    home.folder.mkdir()
    home.restore()
    assert (home.folder / "plan.json").read_bytes() == (run / "plan.json").read_bytes()
    assert raced(home.folder, shared, again).over
    assert len(begun[:-1]) + len(again.begun) == 5 + 6  # the one in hand is begun again
    nobody = simulated(shared)
    assert raced(home.folder, shared, nobody).over
    assert not nobody.begun


def test_a_run_that_was_begun_here_goes_on_there(run, shared, plan):
    trial = plan.trials[0]
    (run / "trials" / trial.id).mkdir(parents=True)
    (run / "trials" / trial.id / "checkpoint.pt").write_text("half-way")
    ended = result_at(plan.trials[1], 400_000, plan, 20.0)
    (run / "trials" / ended.trial.id).mkdir(parents=True)
    write_whole(run / "trials" / ended.trial.id / "result.json", ended.model_dump_json())
    Home(run, shared).restore()
    nodes = simulated(shared)
    assert raced(run, shared, nodes).over
    assert len(nodes.begun) == 5 + 6 - 1
    assert shared.read([f"trials/{trial.id}/checkpoint.pt"])


def test_two_different_runs_are_not_mixed(run, shared, plan, tmp_path):
    raced(run, shared, simulated(shared))
    other = tmp_path / "other"
    other.mkdir()
    write_whole(other / "plan.json", plan.model_copy(update={"budget": 7}).model_dump_json())
    with pytest.raises(RunError, match="holds another run than"):
        Home(other, shared).restore()


def test_a_race_reads_again_only_what_has_changed(run, shared, monkeypatch):
    read = []

    def counted(folder, trials):
        read.extend(trial.id for trial in trials)
        return results(folder, trials)

    monkeypatch.setattr(runs, "results", counted)
    raced(run, shared, simulated(shared))
    assert len(read) == 10 + 5 + 6  # all of them once, then those that were just run


@dataclass
class Refusing:
    """Nodes that carry nothing out."""

    outcome: Outcome
    submitted: list = field(default_factory=list)

    def slots(self, room):
        return 0

    def submit(self, order, room):
        self.submitted.append((order, room))
        return len(self.submitted)

    def wait(self, tickets, seconds):
        return dict.fromkeys(tickets, self.outcome)

    def news(self):
        return ()


def test_a_trial_that_nobody_can_carry_out_has_crashed_and_the_others_go_on(run, shared):
    ended = raced(run, shared, Refusing(Outcome(lost="its node was lost 11 times"))).results
    assert {each.status for each in ended.values()} == {"crashed"}
    assert {each.why for each in ended.values()} == {"its node was lost 11 times"}
    kept = shared.read(["trials/a-seed0/result.json"]).values()
    assert [TrialResult.model_validate_json(each).status for each in kept] == ["crashed"]


def test_a_node_that_cannot_go_on_stops_the_run(run, shared):
    with pytest.raises(Stopped, match="other images than when this run was planned"):
        raced(run, shared, Refusing(Outcome(stopped="x holds other images than when this run was "
                                                    "planned (on node-7)")))  # fmt: skip


def test_a_folder_that_nodes_and_driver_do_not_share_is_noticed(run, shared, monkeypatch):
    monkeypatch.setattr(clusters, "PATIENCE", 0.0)
    with pytest.raises(Stopped, match="does not show the result of a-seed0"):
        raced(run, shared, Refusing(Outcome()))


def test_orders_are_small_whatever_the_plan_and_name_paths_that_other_machines_know(
    run, shared, plan, monkeypatch, tmp_path
):
    monkeypatch.chdir(tmp_path)
    many = planned([f"arm-{n}" for n in range(50)], 2)
    data = many.data.model_copy(update={"where": "photographs"})
    write_whole(run / "plan.json", many.model_copy(update={"data": data}).model_dump_json())
    nodes = Refusing(Outcome(lost="-"))
    raced(run, shared, nodes)
    order, room = nodes.submitted[0]
    assert len(order.plan) < 4000
    assert json.loads(order.plan)["data"]["where"] == str(tmp_path / "photographs")
    assert (room.cpus, room.gpus, order.threads) == (1.0, 0.0, 1)
    assert Room(4.0).threads == 4
    assert Room(0.5).threads == 1


def test_a_plan_on_gpus_takes_one_for_each_trial_unless_told(run, shared, plan):
    write_whole(run / "plan.json", plan.model_copy(update={"device": "cuda"}).model_dump_json())
    nodes, said = Refusing(Outcome(lost="-")), []
    raced(run, shared, nodes, tell=said.append)
    assert nodes.submitted[0][1].gpus == 1.0
    assert said[0].startswith("no node has room for a trial (1 CPU and 1 GPU a trial): waiting")


def test_what_the_report_shows_comes_back_with_the_leaders_generators(plan, tmp_path):
    ended = [result_at(t, t.budget, plan, merit(t)) for t in plan.trials if t.arm in "ab"]
    there = run_folder(tmp_path / "there", plan, ended, recommended=advice_of(plan))
    for trial in plan.trials:
        if trial.arm in "ab":
            (there / "trials" / trial.id / "generator.safetensors").write_text(trial.id)
            (there / "trials" / trial.id / "grids").mkdir()
            (there / "trials" / trial.id / "grids" / "000000000100.webp").write_text("grid")
    home = Home(tmp_path / "here", Folder(there))
    home.folder.mkdir()
    home.restore()
    home.fetch_leaders()
    board = Leaderboard.model_validate_json((home.folder / "leaderboard.json").read_bytes())
    leaders = {each.arm for each in board.standings if each.leader}
    brought = {path.parent.name for path in home.folder.glob("trials/*/generator.safetensors")}
    assert brought == {trial.id for trial in plan.trials if trial.arm in leaders}
    pictures = {path.parent.name for path in home.folder.glob("trials/*/samples.png")}
    assert pictures == {"a-seed0", "b-seed0"}
    grids = {path.parent.parent.name for path in home.folder.glob("trials/*/grids/*.webp")}
    assert grids == pictures


# A node ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def local(advice_file, pictures, tmp_path_factory):
    """What a run without any cluster leaves."""
    out = tmp_path_factory.mktemp("local") / "run"
    ended = done(command(advice_file, pictures, out, "--only", "lsgan"))
    assert ended.returncode == 0, ended.stderr
    return out


@pytest.fixture
def order(local, shared):
    """That of its first trial, which nobody has carried out."""
    plan = RunPlan.model_validate_json((local / "plan.json").read_bytes())
    nodes = Refusing(Outcome(lost="-"))
    cluster = Cluster(local, shared, nodes, Room())
    cluster.begin(local)
    task = Race(plan, []).tasks(0)[0]
    return cluster.order(plan, task)


def test_a_trial_that_lost_its_node_ends_elsewhere_as_it_would_have_here(local, shared, order):
    class Lost(Exception):
        pass

    told, lost = [], []

    def tell(event):
        told.append(event)
        if event.look is not None and not lost:  # the first one, however many signs came before
            lost.append(event)
            raise Lost

    with pytest.raises(Lost):
        carry_out(order, tell)
    name = f"trials/{order.task.trial}"
    assert "checkpoint.pt" in shared.names(name)
    assert "result.json" not in shared.names(name)
    assert carry_out(order, tell) is None
    assert any("was cut short" in event.says for event in told if event.says)
    looks = [event.images_seen for event in told if event.look is not None]
    assert looks == [256, 512]  # the second went on from the first one's checkpoint
    alone = (local / name / "generator.safetensors").read_bytes()
    assert shared.read([f"{name}/generator.safetensors"]) == {
        f"{name}/generator.safetensors": alone
    }
    told.clear()
    assert carry_out(order, tell) is None
    assert not told  # it was done already


def test_what_killed_processes_left_on_a_node_is_taken_away(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with node.scratch() as in_use:
        (tmp_path / "gan-runner-left").mkdir()
        (tmp_path / "gan-runner-left/checkpoint.pt").write_text("half-way")
        (tmp_path / "gan-runner-new").mkdir()
        for old in ("gan-runner-left", in_use.name):
            os.utime(tmp_path / old, (0, 0))
        with node.scratch() as another:
            there = {path.name for path in tmp_path.iterdir()}
            assert there == {"gan-runner-new", in_use.name, another.name}
    assert {path.name for path in tmp_path.iterdir()} == {"gan-runner-new"}


def test_a_node_says_why_it_cannot_help(order, shared):
    def refusal(**changed):
        return carry_out(order._replace(**changed), lambda event: None)

    other = (("gan-advisor", "9.9"), order.versions[1])
    assert "has gan-advisor 0" in refusal(versions=other)
    assert "and the driver has 9.9: install the same on both" in refusal(versions=other)
    assert "does not find this run in" in refusal(storage="/somewhere/else")
    assert "does not find this run in" in refusal(mark="0" * 64)
    assert "Protocol not known" in refusal(storage="s4://bucket")
    plan = json.loads(order.plan)
    plan["data"]["fingerprint"] = "0" * 64
    assert "other images than when this run was planned" in refusal(plan=json.dumps(plan))


# Options -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--storage", "/shared"], "--storage goes with --ray"),
        (["--ray", "local", "--budget", "1h"], "with --ray give --budget in images"),
        (["--ray", "local", "--cpus-per-trial", "0"], "--cpus-per-trial"),
        (["--ray", "auto"], "which is not installed: pip install 'gan-advisor[ray]'"),
    ],
)
def test_a_wish_that_cannot_be_met_is_told(
    options, says, advice_file, pictures, tmp_path, monkeypatch
):
    monkeypatch.setitem(sys.modules, "ray", None)
    words = command(advice_file, pictures, tmp_path / "run", *options)
    ended = CliRunner().invoke(app, words[3:])
    assert ended.exit_code == 2
    assert says in ended.output


@pytest.mark.parametrize("address", ["127.0.0.1:1", "ray://127.0.0.1:1", "nonsense"])
def test_an_address_where_no_cluster_is_is_told(address, tmp_path):
    pytest.importorskip("ray")
    with (
        pytest.raises(RunError, match=f"no Ray cluster at --ray {address}: "),
        on_ray(address, tmp_path),
    ):
        pass


# Ray ---------------------------------------------------------------------------------------------


def test_a_mailbox_keeps_the_last_word_of_each_trial_and_every_look():
    mailbox = Mailbox()
    for images in (100, 200, 300):
        mailbox.post(Event("a", "training", images))
        mailbox.post(Event("b", "training", 2 * images, look=0.5 if images == 200 else None))
    mailbox.post(Event("a", "training", 250, says="its node was lost"))
    told = [(event.trial, event.images_seen) for event in mailbox.take()]
    assert told == [("a", 300), ("b", 600), ("b", 400), ("a", 250)]
    assert mailbox.take() == []


@pytest.mark.parametrize(
    ("room", "slots"),
    [
        (Room(1.0, 0.0), 8 + 4),
        (Room(3.0, 0.0), 2 + 1),
        (Room(1.0, 0.5), 4),
        (Room(1.0, 1.0), 2),
        (Room(1.0, 4.0), 0),
    ],
)
def test_a_trial_takes_its_room_on_one_node(room, slots):
    nodes = [
        {"Alive": True, "Resources": {"CPU": 8.0, "GPU": 2.0, "memory": 1e9}},
        {"Alive": True, "Resources": {"CPU": 4.0}},
        {"Alive": True, "Resources": {}},  # a head that takes no trials
        {"Alive": False, "Resources": {"CPU": 64.0, "GPU": 8.0}},
    ]
    there = RayNodes.__new__(RayNodes)
    there.ray = SimpleNamespace(nodes=lambda: nodes)
    assert there.slots(room) == slots
