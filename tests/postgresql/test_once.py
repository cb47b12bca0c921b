"""Every record exactly once, whatever dies or freezes in between."""

import os
import random
import signal

from cluster import Drive, until
from proxy import Proxy
from test_convert import record_id

KILLS = 20
N = 60000
COLUMNS = {"oven": {"from": "/oven", "type": "integer"}, "value": {"from": "/value", "type": "float8"},
           "n": {"from": "/n", "type": "integer"}}


def section(server, database, **options):
    return {"type": "postgresql", "conninfo": server.conninfo(database), "create": True,
            "layout": "columns", "table": "t", "columns": COLUMNS, **options}


def holds_each_once(server, database, n=N, letters=()):
    rows = server.sql("SELECT count(*), count(DISTINCT n), count(DISTINCT sluice_id) FROM t", database)
    expected = str(n - len(letters))
    assert rows == [[expected] * 3], (rows, expected)


def place(server, database):
    return int(server.one("SELECT coalesce(max(seq), 0) FROM sluice.progress", database))


def connected(drive):
    state = drive.ask("settle 20000")
    assert state["answer"] == "RESET", state


def test_backends_killed_at_random_moments(server):
    database = server.database()
    source = random.Random(7)
    killed, n = 0, KILLS * 8000  # small batches: the killer must keep up
    with Drive(section(server, database)) as drive:
        drive.ask(f"make {n} 1000")
        connected(drive)
        drive.send("run 120000 50")
        while killed < KILLS:
            target = place(server, database) + source.randrange(2000)
            assert target < n, f"all was in after {killed} kills"
            until("the sink goes on", lambda at=target: place(server, database) >= at)
            killed += int(server.one("SELECT count(*) FROM (SELECT pg_terminate_backend(pid) FROM "
                                     "pg_stat_activity WHERE application_name = 'sluice/historian') k"))
        state = drive.answer()
        assert state["cursor"] == n, state
        assert state["resets"] > KILLS / 2, state
        letters = drive.letters()
        assert list(letters) == list(range(1000, n + 1, 1000)), len(letters)
    holds_each_once(server, database, n, letters)
    print(f"    {killed} backends killed, {state['resets']} times begun anew, 0 lost, 0 twice")


def test_postmaster_restarted_without_mercy(server):
    database = server.database()
    n = 200000
    with Drive(section(server, database)) as drive:
        drive.ask(f"make {n} 0")
        connected(drive)
        drive.send("run 120000 50")
        for part in range(1, 6):
            until("the sink goes on", lambda at=part * n // 8: place(server, database) >= at)
            server.restart("immediate")
        state = drive.answer()
        assert state["cursor"] == n, state
        assert state["resets"] >= 6, state
    holds_each_once(server, database, n)


def test_the_driver_is_killed_and_its_cursor_may_be_old(server):
    database = server.database()
    folder = server.folder
    files = {"dead": f"{folder}/dead", "cursor": f"{folder}/cursor"}
    for name in files.values():
        if os.path.exists(name):
            os.unlink(name)
    for part in range(1, 5):
        drive = Drive(section(server, database), **files)
        drive.ask(f"make {N} 0")
        connected(drive)
        drive.send("run 120000 700")
        until("the sink goes on", lambda at=part * N // 6: place(server, database) >= at)
        drive.kill()
        if part % 2 == 0:
            os.unlink(files["cursor"])  # a cursor that was not synced
    with Drive(section(server, database), **files) as drive:
        drive.ask(f"make {N} 0")
        assert drive.ask("run 120000 700")["cursor"] == N
    holds_each_once(server, database)


def test_the_answer_to_commit_is_lost(server):
    database = server.database()
    proxy = Proxy(server.port)
    conninfo = f"host=127.0.0.1 port={proxy.port} dbname={database} user=postgres"
    with Drive(section(server, database, conninfo=conninfo)) as drive:
        drive.ask("make 10000 0")
        connected(drive)
        proxy.swallow = 5
        state = drive.ask("run 60000 500")
        assert state["cursor"] == 10000, state
    proxy.close()
    assert proxy.swallowed == 5, proxy.swallowed
    holds_each_once(server, database, 10000)


def waiting(server, event):
    """The sink's backend once it waits for `event`."""
    return lambda: server.one("SELECT pid FROM pg_stat_activity WHERE application_name = "
                              f"'sluice/historian' AND wait_event = '{event}'")


def test_a_backend_frozen_in_commit_that_commits_late(server):
    database = server.database()
    with Drive(section(server, database, timeout="2s")) as drive:
        drive.ask("make 2000 0")
        connected(drive)
        drive.ask("push 1000")
        # COMMIT waits for a standby that does not exist, after it has written everything
        server.sql("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
        server.reload()
        drive.send("run 60000 500")
        pid = int(until("COMMIT hangs", waiting(server, "SyncRep")))
        os.kill(pid, signal.SIGSTOP)
        server.sql("ALTER SYSTEM RESET synchronous_standby_names")
        server.reload()
        # nobody knows whether it will commit, so nothing may go on
        until("others wait for its row", lambda: "canceling statement due to lock timeout" in
              open(server.log, encoding="utf-8").read())
        assert server.one("SELECT count(*) FROM t", database) == "0"
        os.kill(pid, signal.SIGCONT)
        state = drive.answer()
        assert state["cursor"] == 2000, state
        assert state["aways"] >= 2, state
    holds_each_once(server, database, 2000)


def test_a_backend_frozen_in_the_middle_of_copy(server):
    database = server.database()
    server.sql("""CREATE TABLE t (sluice_id uuid, oven int, value float8, n int);
        CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF NEW.n = 700 THEN PERFORM pg_advisory_xact_lock_shared(700); END IF; RETURN NEW; END $$;
        CREATE TRIGGER b BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()""", database)
    holder = Holder(server, database)
    with Drive(section(server, database, timeout="2s")) as drive:
        drive.ask("make 2000 0")
        connected(drive)
        drive.send("run 60000 500")
        pid = int(until("COPY hangs", waiting(server, "advisory")))
        os.kill(pid, signal.SIGSTOP)
        before = place(server, database)
        until("the sink was away and others wait for its row", waiting_elsewhere(server, pid))
        holder.close()
        os.kill(pid, signal.SIGCONT)
        state = drive.answer()
        assert state["cursor"] == 2000 and before == 500, (state, before)
        assert state["aways"] >= 1, state
    holds_each_once(server, database, 2000)


class Holder:
    """A session that holds an advisory lock."""

    def __init__(self, server, database):
        import subprocess
        self.process = subprocess.Popen(
            [os.path.join(server.bin, "psql"), "-X", "-q", "-A", "-t", "-h", server.folder, "-p",
             str(server.port), "-U", "postgres", "-d", database], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True)
        self.process.stdin.write("SELECT pg_advisory_lock(700); SELECT 'held';\n")
        self.process.stdin.flush()
        while self.process.stdout.readline().strip() != "held":
            pass

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def waiting_elsewhere(server, pid):
    return lambda: server.one("SELECT pid FROM pg_stat_activity WHERE application_name = "
                              f"'sluice/historian' AND wait_event_type = 'Lock' AND pid <> {pid}")


def test_an_idle_backend_frozen_before_a_batch(server):
    database = server.database()
    with Drive(section(server, database, timeout="1s")) as drive:
        drive.ask("make 5000 0")
        connected(drive)
        drive.ask("push 500")
        assert drive.ask("settle 20000")["cursor"] == 500
        [pid] = server.backends()
        os.kill(pid, signal.SIGSTOP)
        state = drive.ask("run 60000 500")  # it never got as far as a lock: the rest goes in
        assert state["cursor"] == 5000 and state["aways"] >= 1, state
        holds_each_once(server, database, 5000)
        os.kill(pid, signal.SIGCONT)
        until("the zombie is gone", lambda: pid not in server.backends())
        holds_each_once(server, database, 5000)


def test_two_that_think_they_are_the_same(server):
    database = server.database()
    with Drive(section(server, database)) as one, Drive(section(server, database)) as other:
        one.ask("make 3000 0")
        other.ask("make 3000 0")
        connected(one)
        one.ask("push 1000")
        assert one.ask("settle 20000")["cursor"] == 1000
        assert other.ask("settle 20000")["cursor"] == 1000  # RESET from the place of the first
        one.ask("push 1000")
        state = one.ask("settle 20000")  # it is not the owner any more: nothing goes in
        assert state["answer"] == "RESET" and state["cursor"] == 1000, state
        other.ask("push 1000")
        assert other.ask("settle 20000")["answer"] == "RESET"
        assert other.ask("run 60000 500")["cursor"] == 3000
        assert one.ask("run 60000 500")["cursor"] == 3000
    holds_each_once(server, database, 3000)


def test_no_transaction_stays_open_while_nothing_is_under_way(server):
    database = server.database()
    server.sql("CREATE TABLE t (sluice_id uuid, oven int, value float8, n int CHECK (n <> 1000))", database)
    with Drive(section(server, database)) as drive:
        drive.ask("make 1000 0")
        assert drive.ask("run 60000 500")["cursor"] == 1000
        assert list(drive.letters()) == [1000]
        assert server.sql("SELECT state FROM pg_stat_activity WHERE application_name = "
                          "'sluice/historian'") == [["idle"]]
        # and a connection that the server closes while idle is no fault of a record
        server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = "
                   "'sluice/historian'")
        until("it notices", lambda: drive.ask("settle 0")["answer"] == "AWAY")
        assert drive.ask("settle 20000")["answer"] == "RESET"


def test_reset_gives_up_what_is_under_way(server):
    database = server.database()
    with Drive(section(server, database)) as drive:
        drive.ask("make 2000 0")
        connected(drive)
        drive.ask("push 1000")
        drive.ask("reset")
        state = drive.ask("settle 20000")
        assert (state["answer"], state["pushed"]) == ("RESET", 0), state
        assert drive.ask("run 60000 500")["cursor"] == 2000
    holds_each_once(server, database, 2000)


def test_synchronous_commit_is_never_off(server):
    database = server.database()
    server.sql(f"ALTER DATABASE {database} SET synchronous_commit = off")
    since = server.log_size()
    with Drive(section(server, database)) as drive:
        drive.ask("make 10 0")
        assert drive.ask("run 60000 500")["cursor"] == 10
    assert any("COPY" in line and "synchronous_commit = on" in line for line in server.statements(since))
    assert server.one(f"SELECT count(*) FROM t WHERE sluice_id = '{record_id(10)}'", database) == "1"


def test_a_frozen_server_is_given_up_after_the_timeout(server):
    database = server.database()
    with open(f"{server.data}/postmaster.pid", encoding="utf-8") as file:
        postmaster = int(file.readline())
    with Drive(section(server, database, timeout="1s")) as drive:
        drive.ask("make 1000 0")
        os.kill(postmaster, signal.SIGSTOP)  # the kernel still takes connections for it
        try:
            state = drive.ask("settle 20000")
            assert state["answer"] == "AWAY", state
            assert "no answer for 1 s while connecting" in state["error"], state
            # a deadline that comes before that is kept, and the attempt goes on in the next call
            state = drive.ask("settle 10")
            assert state["answer"] == "AWAY" and "still connecting" in state["error"], state
        finally:
            os.kill(postmaster, signal.SIGCONT)
        assert drive.ask("run 60000 500")["cursor"] == 1000
    holds_each_once(server, database, 1000)


def test_a_batch_that_takes_the_server_too_long_is_made_smaller(server):
    database = server.database()
    server.sql("""CREATE TABLE t (sluice_id uuid, oven int, value float8, n int);
        CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            PERFORM pg_sleep(0.01); RETURN NEW; END $$;
        CREATE TRIGGER b BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()""", database)
    with Drive(section(server, database, timeout="1s")) as drive:
        drive.ask("make 200 0")
        state = drive.ask("run 60000 200")
        assert state["cursor"] == 200, state
        assert state["aways"] >= 1 and "a smaller batch" in state["error"], state
        assert drive.letters() == {}
    holds_each_once(server, database, 200)
