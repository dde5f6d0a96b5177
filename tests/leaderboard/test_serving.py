"""Serving a board: its own files, to this machine, under this machine's name."""

from __future__ import annotations

import http.client
import threading

import pytest
from tests.leaderboard import synthetic

from xharness.errors import ConfigurationError
from xharness.leaderboard import write
from xharness.session.board_server import HOST, open_server


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = synthetic.build(tmp_path_factory.mktemp("board"))
    write(folder, synthetic.METRICS)
    (folder / "figures" / "secret.txt").write_text("no")
    with open_server(folder, 0) as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        yield made
        made.shutdown()


def ask(server, path, *, host=None, method="GET"):
    connection = http.client.HTTPConnection(HOST, server.server_port, timeout=5)
    connection.request(method, path, headers={"Host": host or f"{HOST}:{server.server_port}"})
    answer = connection.getresponse()
    return answer.status, answer.getheader("Content-Type"), answer.read()


@pytest.mark.parametrize(
    ("path", "task_type"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/leaderboard.html?x=1", "text/html; charset=utf-8"),
        ("/leaderboard.csv", "text/csv; charset=utf-8"),
        ("/figures/size.svg", "image/svg+xml"),
    ],
)
def test_a_board_s_files_are_there(server, path, kind):
    status, found, body = ask(server, path)
    assert (status, found) == (200, kind) and body
    assert ask(server, path, method="HEAD") == (200, kind, b"")


@pytest.mark.parametrize(
    "path", ["/scores.jsonl", "/figures/secret.txt", "/../study.yaml", "/figures/", "//etc/passwd"]
)
def test_nothing_else_is(server, path):
    assert ask(server, path)[0] == 404


def test_another_name_and_another_method_are_refused(server):
    assert ask(server, "/", host="example.org:80")[0] == 403
    assert ask(server, "/", method="POST")[0] == 501
    assert server.server_address[0] == "127.0.0.1"


def test_no_board_and_a_taken_port_say_what_to_do(server, tmp_path):
    with pytest.raises(ConfigurationError, match="leaderboard build"):
        open_server(tmp_path, 0)
    write(synthetic.build(tmp_path), synthetic.METRICS)
    with pytest.raises(ConfigurationError, match="--port"):
        open_server(tmp_path, server.server_port)
