"""What somebody has to mend: PAUSED with one line, nothing lost, and on it goes when it is mended."""

from cluster import Drive, until

COLUMNS = {"oven": {"from": "/oven", "type": "integer"}, "value": {"from": "/value", "type": "float8"}}
PROGRESS = """CREATE SCHEMA sluice; CREATE TABLE sluice.progress (spool_id uuid, sink text,
    seq bigint NOT NULL, owner uuid NOT NULL, updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (spool_id, sink));"""


def section(server, database, user="postgres", **options):
    return {"type": "postgresql", "conninfo": server.conninfo(database, user), "layout": "columns",
            "table": "t", "columns": COLUMNS, **options}


def pauses(drive, *words):
    state = drive.ask("settle 10000")
    assert state["answer"] == "PAUSED", state
    assert "\n" not in state["error"] and len(state["error"]) < 480
    for word in words:
        assert word in state["error"], state["error"]
    return state["error"]


def goes_in(drive, n=1000):
    state = drive.ask("run 30000 100")
    assert state["cursor"] == n, state


def test_missing_tables_are_named_with_what_makes_them(server):
    database = server.database()
    with Drive(section(server, database)) as drive:
        drive.ask("make 1000 0")
        pauses(drive, "sluice.progress", "table t", "`sluice ddl`", "create: true")
        server.sql(PROGRESS, database)
        error = pauses(drive, "table t", "`sluice ddl`")
        assert "sluice.progress" not in error, error
        ddl = drive.ask("ddl")["ddl"]
        server.sql(ddl, database)
        server.sql(ddl, database)  # may be repeated
        goes_in(drive)
    assert server.one("SELECT count(*) FROM t", database) == "1000"


def test_mismatches_are_named_column_by_column(server):
    database = server.database()
    server.sql(PROGRESS + "CREATE TABLE t (sluice_id uuid, oven text, line int NOT NULL, extra int, "
               "made int GENERATED ALWAYS AS (1) STORED)", database)
    columns = {**COLUMNS, "made": {"from": "/x", "type": "integer"}}
    with Drive(section(server, database, columns=columns)) as drive:
        drive.ask("make 1000 0")
        pauses(drive, "oven is text, not integer", "value (float8) is missing", "line must be given",
               "made is generated")
        server.sql("DROP TABLE t; CREATE DOMAIN temperature AS float8; CREATE TABLE t (sluice_id uuid, "
                   "oven int, value temperature, line int NOT NULL DEFAULT 5, made int)", database)
        goes_in(drive)


def test_table_dropped_and_changed_under_load(server):
    database = server.database()
    with Drive(section(server, database, create=False)) as drive:
        server.sql(drive.ask("ddl")["ddl"], database)
        drive.ask("make 3000 0")
        drive.ask("settle 10000")
        drive.ask("push 1000")
        assert drive.ask("settle 10000")["cursor"] == 1000
        # the same width on the wire: the server would take a float8 for a bigint without a word
        server.sql("ALTER TABLE t RENAME TO kept; CREATE TABLE t (sluice_id uuid, oven int, value int8)",
                   database)
        drive.ask("push 1000")
        pauses(drive, "value is bigint, not float8")
        server.sql("ALTER TABLE t ALTER value TYPE float8", database)
        assert drive.ask("settle 10000")["answer"] == "RESET"
        drive.ask("push 1000")
        server.sql("DROP TABLE t", database)
        pauses(drive, '"t" does not exist', "42P01", "`sluice ddl`")
        pauses(drive, "table t", "`sluice ddl`")
        server.sql("ALTER TABLE kept RENAME TO t", database)
        goes_in(drive, 3000)
        assert drive.letters() == {}
    assert server.sql("SELECT count(*), count(DISTINCT sluice_id) FROM t", database) == [["3000", "3000"]]


def test_a_column_changed_between_two_batches_is_noticed(server):
    database = server.database()
    with Drive(section(server, database, create=True)) as drive:
        drive.ask("make 2000 0")
        drive.ask("settle 10000")
        drive.ask("push 1000")
        assert drive.ask("settle 10000")["cursor"] == 1000
        server.sql("ALTER TABLE t ALTER value TYPE int8", database)
        drive.ask("push 1000")
        pauses(drive, "value is bigint, not float8")
        assert server.one("SELECT count(*) FROM t", database) == "1000"
        server.sql("ALTER TABLE t ALTER value TYPE float8", database)
        goes_in(drive, 2000)
    assert server.one("SELECT count(*) FROM t", database) == "2000"


def test_permissions(server):
    database = server.database()
    user = f"u_{database}"
    server.sql(f"CREATE ROLE {user} LOGIN; " + PROGRESS +
               "CREATE TABLE t (sluice_id uuid, oven int, value float8)", database)
    with Drive(section(server, database, user)) as drive:
        drive.ask("make 1000 0")
        pauses(drive, "permission denied for schema sluice", "42501")
        server.sql(f"GRANT USAGE ON SCHEMA sluice TO {user}", database)
        pauses(drive, "permission denied for table t", "INSERT")
        server.sql(f"GRANT INSERT ON t TO {user}", database)
        pauses(drive, "permission denied for table progress", "sluice.progress")
        server.sql(f"GRANT SELECT, INSERT, UPDATE ON sluice.progress TO {user}", database)
        drive.ask("settle 10000")
        drive.ask("push 500")
        assert drive.ask("settle 10000")["cursor"] == 500
        server.sql(f"REVOKE INSERT ON t FROM {user}", database)
        drive.ask("push 500")
        pauses(drive, "permission denied for table t")
        server.sql(f"GRANT INSERT ON t TO {user}", database)
        goes_in(drive)
        assert drive.letters() == {}


def test_a_read_only_server(server):
    database = server.database()
    with Drive(section(server, database, create=True)) as drive:
        drive.ask("make 1000 0")
        server.sql(f"ALTER DATABASE {database} SET default_transaction_read_only = on")
        pauses(drive, "read-only", "25006")
        server.sql(f"ALTER DATABASE {database} RESET default_transaction_read_only")
        goes_in(drive)


def test_no_partition_for_a_row_pauses(server):
    database = server.database()
    server.sql(PROGRESS + "CREATE TABLE t (sluice_id uuid, oven int, value float8) PARTITION BY RANGE "
               "(oven); CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (50)", database)
    with Drive(section(server, database)) as drive:
        drive.ask("make 1000 0")
        drive.ask("settle 10000")
        drive.ask("push 1000")
        pauses(drive, "no partition", "23514", "public.t")
        server.sql("CREATE TABLE t2 PARTITION OF t FOR VALUES FROM (50) TO (100)", database)
        goes_in(drive)
        assert drive.letters() == {}


def test_passwords(server):
    database = server.database()
    user = f"u_{database}"
    server.sql(f"CREATE ROLE {user} LOGIN SUPERUSER PASSWORD 'first'")
    rules = f"{server.data}/pg_hba.conf"
    with open(rules, encoding="utf-8") as file:
        before = file.read()
    with open(rules, "w", encoding="utf-8") as file:
        file.write(f"host all {user} 127.0.0.1/32 scram-sha-256\n" + before)
    server.reload()
    conninfo = f"host=127.0.0.1 port={server.port} dbname={database} user={user}"
    secret = f"{server.folder}/password"

    def write(password):
        with open(secret, "w", encoding="utf-8") as file:
            file.write(password + "\n")

    try:
        until("the rule is in force", lambda: not server_takes(server, conninfo))
        with Drive(section(server, database, conninfo=conninfo, create=True,
                           password_file=secret)) as drive:
            drive.ask("make 2000 0")
            pauses(drive, secret)  # not there yet
            write("wrong")
            error = pauses(drive, "password authentication failed", "28P01")
            assert "wrong" not in error, error
            write("first")
            drive.ask("settle 10000")
            drive.ask("push 1000")
            assert drive.ask("settle 10000")["cursor"] == 1000
            server.sql(f"ALTER ROLE {user} PASSWORD 'second'")
            write("second")
            server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = "
                       "'sluice/historian'")
            goes_in(drive, 2000)
    finally:
        with open(rules, "w", encoding="utf-8") as file:
            file.write(before)
        server.reload()
    assert server.one("SELECT count(*) FROM t", database) == "2000"


def server_takes(server, conninfo):
    """Does the server let psql in without a password?"""
    import os
    import subprocess
    return subprocess.run([os.path.join(server.bin, "psql"), "-w", "-X", "-c", "SELECT 1", conninfo],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0


def test_create_alters_nothing(server):
    database = server.database()
    server.sql("CREATE SCHEMA sluice; CREATE TABLE t (sluice_id uuid, oven int)", database)
    with Drive(section(server, database, create=True)) as drive:
        pauses(drive, "value (float8) is missing")
    assert server.one("SELECT count(*) FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum > 0",
                      database) == "2"


def test_sections_that_are_wrong(server):
    good = section(server, "postgres")
    cases = [({"layout": "wide"}, "layout must be"), ({"values": ["/a"]}, "values belongs to layout narrow"),
             ({"columns": {}}, "needs columns"), ({"table": "a.b.c"}, "table: write"),
             ({"table": "x" * 64}, "table: write"), ({"timeout": "5ms"}, "timeout must be"),
             ({"columns": {"a": {"from": "a", "type": "text"}}}, "from must be"),
             ({"columns": {"a": {"from": "${id}", "type": "float8"}}}, "never a float8"),
             ({"columns": {"a": {"from": "${retain}", "type": "uuid"}}}, "never a uuid"),
             ({"columns": {"sluice_id": {"from": "/a", "type": "uuid"}}}, "sluice_id is added"),
             ({"conninfo": "host="}, None), ({"conninfo": "hots=x"}, 'libpq: invalid connection option "hots"'),
             ({"conninfo": "host=db.example.com sslmode=require"}, None)]
    for change, expected in cases:
        drive = Drive({**good, **change})
        problems, errors = " ".join(drive.problems["problems"]), drive.problems["errors"]
        drive.kill()
        if expected is None:
            assert errors == 0, (change, problems)
        else:
            assert errors > 0 and expected in problems, (change, problems)
    hidden = Drive({**good, "conninfo": "password=my s3cret host=x"})
    assert hidden.problems["errors"] == 1 and "s3cret" not in str(hidden.problems), hidden.problems
    hidden.kill()
    warned = Drive({**good, "conninfo": "host=db.example.com sslmode=require"})
    assert "verify-full" in " ".join(warned.problems["problems"])
    warned.kill()
