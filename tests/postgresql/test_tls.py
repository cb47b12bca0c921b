"""TLS: the server is verified unless it is this machine or somebody said otherwise."""

import os
import shutil
import subprocess

from cluster import Cluster, Drive

NAME = "db.sluice.test"


def openssl(folder, *arguments):
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)


def make_ca(folder, name):
    openssl(folder, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out",
            f"{name}.crt", "-days", "2", "-subj", f"/CN={name}")


def make_server(folder, ca, host):
    with open(f"{folder}/san", "w", encoding="utf-8") as file:
        file.write(f"subjectAltName=DNS:{host}\n")
    openssl(folder, "req", "-newkey", "rsa:2048", "-nodes", "-keyout", "server.key", "-out", "server.csr",
            "-subj", f"/CN={host}")
    openssl(folder, "x509", "-req", "-in", "server.csr", "-CA", f"{ca}.crt", "-CAkey", f"{ca}.key",
            "-CAcreateserial", "-out", "server.crt", "-days", "2", "-extfile", "san")
    os.chmod(f"{folder}/server.key", 0o600)
    if os.geteuid() == 0:
        for name in ("server.key", "server.crt"):
            shutil.chown(f"{folder}/{name}", "postgres", "postgres")


def answer(conninfo, database):
    section = {"type": "postgresql", "conninfo": f"{conninfo} dbname={database} user=postgres",
               "create": True}
    with Drive(section) as drive:
        state = drive.ask("settle 20000")
        return state["answer"], state["error"]


def refused(conninfo, database, word):
    got, error = answer(conninfo, database)
    assert got == "PAUSED" and word in error, (conninfo, got, error)


def accepted(conninfo, database):
    got, error = answer(conninfo, database)
    assert got == "RESET", (conninfo, got, error)


def test_verify_full_is_the_default_for_other_machines(server):
    plain = f"hostaddr=127.0.0.1 port={server.port}"
    database = server.database()
    Drive.environment = {"HOME": server.folder}  # no root.crt of somebody's
    accepted(plain, database)
    accepted(f"host=127.0.0.1 port={server.port}", database)
    refused(f"{plain} host={NAME}", database, "does not support SSL")
    accepted(f"{plain} host={NAME} sslmode=prefer", database)

    secure = Cluster()
    folder = secure.folder
    make_ca(folder, "ca")
    make_ca(folder, "stranger")
    make_server(folder, "ca", NAME)
    secure.stop()
    with open(f"{secure.data}/postgresql.conf", "a", encoding="utf-8") as conf:
        conf.write(f"ssl = on\nssl_cert_file = '{folder}/server.crt'\nssl_key_file = '{folder}/server.key'\n")
    secure.start()
    there = f"hostaddr=127.0.0.1 port={secure.port}"
    try:
        refused(f"{there} host={NAME}", "postgres", "root certificate file")
        refused(f"{there} host={NAME} sslrootcert=/nowhere", "postgres", "set sslrootcert in conninfo")
        refused(f"{there} host={NAME} sslrootcert={folder}/stranger.crt", "postgres", "certificate verify")
        refused(f"{there} host=other.sluice.test sslrootcert={folder}/ca.crt", "postgres", "does not match")
        accepted(f"{there} host={NAME} sslrootcert={folder}/ca.crt", "postgres")
        accepted(f"{there} host={NAME} sslmode=require", "postgres")
        service = f"{folder}/service.conf"
        with open(service, "w", encoding="utf-8") as file:
            file.write(f"[there]\nhostaddr=127.0.0.1\nport={secure.port}\nhost={NAME}\n"
                       f"[weak]\nhostaddr=127.0.0.1\nport={secure.port}\nhost={NAME}\nsslmode=require\n")
        Drive.environment = {"HOME": folder, "PGSERVICEFILE": service}
        refused("service=there", "postgres", "root certificate file")
        accepted("service=weak", "postgres")
        refused("service=nowhere", "postgres", "nowhere")

        # a certificate that is replaced counts at the next connection
        shutil.copy(f"{folder}/stranger.crt", f"{folder}/trusted.crt")
        section = {"type": "postgresql", "create": True, "conninfo": f"{there} host={NAME} dbname=postgres "
                   f"user=postgres sslrootcert={folder}/trusted.crt"}
        with Drive(section) as drive:
            drive.ask("make 100 0")
            assert drive.ask("settle 20000")["answer"] == "PAUSED"
            shutil.copy(f"{folder}/ca.crt", f"{folder}/trusted.crt")
            assert drive.ask("run 20000 100")["cursor"] == 100
            assert secure.one("SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE "
                              "application_name = 'sluice/historian'") == "t"
    finally:
        Drive.environment = {}
        secure.close()
