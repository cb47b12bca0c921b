"""Rows that the server refuses: found, set aside with their SQLSTATE, and everything else goes in."""

from cluster import Drive
from test_convert import record_id

COLUMNS = {"oven": {"from": "/oven", "type": "integer"}, "value": {"from": "/value", "type": "float8"},
           "n": {"from": "/n", "type": "integer"}}
TABLE = "sluice_id uuid, oven int, value float8, n int"


def pour(server, ddl, n=10000, batch=5000, poison=0, columns=None, records=None):
    """Set up `ddl`, pour n records (or those given) into table t. Returns the dead letters, the ids in
    the table, and what the sink has said to the server once it was connected."""
    database = server.database()
    server.sql("CREATE SCHEMA sluice; " + ddl, database)
    section = {"type": "postgresql", "conninfo": server.conninfo(database), "create": True,
               "layout": "columns", "table": "t", "columns": columns or COLUMNS}
    with Drive(section) as drive:
        if records:
            drive.records(records)
        else:
            drive.ask(f"make {n} {poison}")
        state = drive.ask("settle 10000")
        assert state["answer"] == "RESET", state
        since = server.log_size()
        state = drive.ask(f"run 60000 {batch}")
        assert state["cursor"] == state["n"], state
        assert (state["resets"], state["aways"], state["pauses"]) == (1, 0, 0), state
        letters = drive.letters()
    ids = [row[0] for row in server.sql("SELECT sluice_id FROM t", database)]
    assert len(ids) == len(set(ids)), "a record came twice"
    assert sorted(ids + [record_id(seq) for seq in letters]) == [
        record_id(seq) for seq in range(1, state["n"] + 1)], "records are missing"
    assert len(server.backends()) == 0
    return letters, server.statements(since)


def failed_flights(said, letters):
    """Flights that came to nothing, for each record that was set aside; and the flights that were
    needed because a record was set aside in the middle of a batch are no more than one for each."""
    begins = sum("BEGIN" in line for line in said)
    commits = sum(line.endswith(" COMMIT") for line in said)
    assert commits <= 2 + len(letters), (commits, len(letters))
    return (begins - commits) / len(letters)


def test_one_in_a_thousand_is_no_number(server):
    letters, said = pour(server, f"CREATE TABLE t ({TABLE})", poison=1000)
    assert list(letters) == list(range(1000, 10001, 1000)), letters
    assert {letter[0] for letter in letters.values()} == {"column.type"}
    assert "bad" not in " ".join(letter[1] for letter in letters.values())
    assert not [line for line in said if "ROLLBACK" in line], "the server has seen one"


def test_one_in_a_thousand_breaks_a_check(server):
    letters, said = pour(server, f"CREATE TABLE t ({TABLE}, CONSTRAINT c CHECK (n % 1000 <> 0))")
    assert list(letters) == list(range(1000, 10001, 1000)), letters
    assert {letter[0] for letter in letters.values()} == {"pg.23514"}
    assert "constraint c" in letters[1000][1], letters[1000]
    extra = failed_flights(said, letters)
    print(f"    check: {extra:.1f} round trips to find a row, {len(said)} in all")
    assert extra <= 2, extra


def test_one_in_a_thousand_breaks_a_unique_index(server):
    letters, said = pour(server, f"CREATE TABLE t ({TABLE}); CREATE UNIQUE INDEX u ON t ((n % 10001 "
                         "- CASE WHEN n % 1000 = 0 THEN n - 1 ELSE 0 END))")
    # 1000, 2000, … all collide with 1
    assert list(letters) == list(range(1000, 10001, 1000)), letters
    assert {letter[0] for letter in letters.values()} == {"pg.23505"}
    extra = failed_flights(said, letters)
    print(f"    unique: {extra:.1f} round trips to find a row, {len(said)} in all")
    assert extra <= 2, extra


def test_a_line_that_may_be_another_s_is_tried_alone(server):
    # too large for an index: the server names a line, but for rows that it inserts together
    words = [("%d" % i) * 3 for i in range(60)]
    import random
    source = random.Random(1)
    for i in (20, 40):
        words[i] = "".join(source.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(20000))
    letters, said = pour(server, "CREATE TABLE t (sluice_id uuid, w text); CREATE INDEX ON t (w)", batch=60,
                         columns={"w": {"from": "${payload}", "type": "text"}},
                         records=[{"topic": "t", "payload": word, "format": "string"} for word in words])
    assert {seq: letter[0] for seq, letter in letters.items()} == {21: "pg.54000", 41: "pg.54000"}, letters
    failed = sum("BEGIN" in line for line in said) - sum(line.endswith(" COMMIT") for line in said)
    print(f"    index row: {failed / 2:.1f} failed flights a row")
    assert failed <= 4, failed


def foreign_key(server, how):
    return pour(server, "CREATE TABLE allowed (n int PRIMARY KEY); INSERT INTO allowed SELECT g FROM "
                "generate_series(1, 10000) g WHERE g % 2500 <> 0; "
                f"CREATE TABLE t ({TABLE}, FOREIGN KEY (n) REFERENCES allowed {how})")


def test_foreign_keys_are_found_by_halving(server):
    letters, said = foreign_key(server, "")
    assert list(letters) == [2500, 5000, 7500, 10000], letters
    assert {letter[0] for letter in letters.values()} == {"pg.23503"}
    begins = sum("BEGIN" in line for line in said)
    print(f"    foreign key: {begins / 4:.1f} flights a row, {len(said)} round trips in all")
    assert begins / 4 <= 15, begins  # log2 of a batch of 5,000, and itself


def test_deferred_foreign_keys_fail_at_commit_and_are_found(server):
    letters, _ = foreign_key(server, "DEFERRABLE INITIALLY DEFERRED")
    assert list(letters) == [2500, 5000, 7500, 10000], letters


def test_several_in_each_batch(server):
    letters, _ = pour(server, f"CREATE TABLE t ({TABLE}, CHECK (n % 10 <> 7))", n=1000, batch=100)
    assert list(letters) == list(range(7, 1001, 10)), letters


def test_neighbours_and_the_ends_of_a_batch(server):
    letters, _ = pour(server, f"CREATE TABLE t ({TABLE}, CHECK (n NOT IN (1, 2, 3, 100, 101, 300)))",
                      n=300, batch=100)
    assert list(letters) == [1, 2, 3, 100, 101, 300], letters


def test_a_batch_of_nothing_else(server):
    letters, _ = pour(server, f"CREATE TABLE t ({TABLE}, CHECK (n > 150))", n=200, batch=100)
    assert list(letters) == list(range(1, 151)), letters


def test_a_trigger_that_refuses_tells_nothing_of_the_row(server):
    letters, _ = pour(server, f"""CREATE TABLE t ({TABLE});
        CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF NEW.n % 100 = 0 THEN RAISE EXCEPTION 'secret row %', NEW.n; END IF; RETURN NEW; END $$;
        CREATE TRIGGER b BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()""", n=500, batch=500)
    assert list(letters) == [100, 200, 300, 400, 500], letters
    assert {letter[0] for letter in letters.values()} == {"pg.P0001"}
    assert "secret" not in letters[100][1] and "100" not in letters[100][1], letters[100]


def test_each_class_of_the_server_s_own(server):
    ddl = """CREATE TYPE mood AS ENUM ('good', 'bad'); CREATE TABLE t (sluice_id uuid, m mood,
             s varchar(3), x numeric(5,2), j jsonb, w text NOT NULL)"""
    columns = {"m": {"from": "/m", "type": "text"}, "s": {"from": "/s", "type": "text"},
               "x": {"from": "/x", "type": "numeric"}, "j": {"from": "/j", "type": "jsonb"},
               "w": {"from": "/w", "type": "text"}}
    payloads = ['{"m":"good","w":""}', '{"m":"TopSecret","w":""}', '{"s":"TopSecret","w":""}',
                '{"x":123456.7,"w":""}', '{"j":{"k":"\\u0000"},"w":""}', '{"x":1e200000,"w":""}', '{}',
                '{"m":"bad","s":"abc","x":999.99,"j":{},"w":"w"}']
    letters, _ = pour(server, ddl, columns=columns, batch=100,
                      records=[{"topic": "t", "payload": payload} for payload in payloads])
    assert {seq: letter[0] for seq, letter in letters.items()} == {
        2: "pg.22P02", 3: "pg.22001", 4: "pg.22003", 5: "column.type", 6: "column.type",
        7: "pg.23502"}, letters
    told = " ".join(letter[1] for letter in letters.values())
    assert "TopSecret" not in told and "123456" not in told, told


def test_the_rows_of_one_record_go_in_together_or_not_at_all(server):
    database = server.database()
    server.sql("CREATE SCHEMA sluice; CREATE TABLE sluice.samples (ts timestamptz NOT NULL, tag text NOT "
               "NULL, value float8 CHECK (value < 100), text text, quality smallint NOT NULL, id uuid NOT "
               "NULL)", database)
    section = {"type": "postgresql", "conninfo": server.conninfo(database), "create": True,
               "layout": "narrow"}
    with Drive(section) as drive:
        drive.records([{"topic": "t", "payload": payload} for payload in (
            '{"a":1,"b":2,"c":3}', '{"a":1,"b":200,"c":3}', "{}", '{"a":5}', '{"a":300}', '{"a":6}')])
        assert drive.ask("run 30000 10")["cursor"] == 6
        letters = drive.letters()
    assert {seq: letter[0] for seq, letter in letters.items()} == {2: "pg.23514", 5: "pg.23514"}, letters
    rows = server.sql("SELECT id, tag, value FROM sluice.samples ORDER BY id, tag", database)
    assert rows == [[record_id(1), "t/a", "1"], [record_id(1), "t/b", "2"], [record_id(1), "t/c", "3"],
                    [record_id(4), "t/a", "5"], [record_id(6), "t/a", "6"]], rows
