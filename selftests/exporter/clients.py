#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# vm: DEVICES="edu=1 soft=2" PYTHON=1 TIMEOUT=300
"""
HTTP: what is right, what is wrong, and clients that are slow, many, or mean no good.
"""
import contextlib
import socket
import threading
import time

from exporter import OPENMETRICS, PROMETHEUS, Exporter, Metrics, done, ok, same

server = Exporter()


def answers(what, status, method="GET", path="/metrics", **headers):
    have, got, text = server.ask(method, path, **headers)
    same(have, status, f"{what}: {status}")
    return got, text


# ---- what is right ----

for accept, kind in ((OPENMETRICS, OPENMETRICS), ("application/openmetrics-text", OPENMETRICS),
                     ("text/plain", PROMETHEUS), ("*/*", PROMETHEUS), ("text/html", PROMETHEUS),
                     ("application/openmetrics-text;version=0.0.1", PROMETHEUS),
                     # as Prometheus asks
                     ("application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;"
                      "version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2", OPENMETRICS)):
    headers, text = answers(f"Accept: {accept}", 200, Accept=accept)
    same(headers["Content-Type"], kind, "  as it was asked for")
    same(headers["Vary"], "Accept", "  which a cache is told")
    ok(Metrics(text, kind).get("accel_up") == 1, "  and can be read")
headers, text = answers("no Accept", 200)
same(headers["Content-Type"], PROMETHEUS, "  the format that all can read")
same(headers["Content-Length"], str(len(text)), "  and its length")
headers, text = answers("HEAD", 200, "HEAD", Accept=OPENMETRICS)
same((headers["Content-Type"], text), (OPENMETRICS, ""), "  the same, without the rest")
ok(int(headers["Content-Length"]) > 1000, "  whose length it tells")
answers("a query", 200, path="/metrics?collect=all")
headers, text = answers("the page", 200, path="/")
ok(headers["Content-Type"].startswith("text/html") and '"/metrics"' in text, "  names /metrics")

# ---- what is wrong ----

for path in ("/metric", "/metrics/", "/metrics/x", "/..", "/../metrics", "//metrics", "/favicon.ico", "/" + "x" * 4000):
    headers, text = answers(f"path {path[:20]}", 404, path=path)
    ok("/metrics" in text, "  says what there is")
for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "BREW", "get"):
    headers, text = answers(f"method {method}", 405, method)
    same(headers.get("Allow"), "GET, HEAD", "  says which there are")
answers("a header of 20 KiB", 431, X="x" * 20480)


def raw(request):
    """What is answered to these very bytes, until the connection is closed."""
    with socket.create_connection(("127.0.0.1", server.port)) as s:
        got = b""
        with contextlib.suppress(OSError):      # it may have closed before it was sent all of it
            s.sendall(request)
            s.shutdown(socket.SHUT_WR)
        with contextlib.suppress(OSError):
            while part := s.recv(65536):
                got += part
        return got


# Bodies that are announced: nobody waits for them
for method, status in ((b"POST", b"405"), (b"GET", b"400")):
    for length in (b"Content-Length: 1000000000", b"Transfer-Encoding: chunked"):
        answer = raw(method + b" /metrics HTTP/1.1\r\nHost: x\r\n" + length + b"\r\n\r\n")
        same(answer[9:12], status, f"{method.decode()} with a body, {length.decode()}: {status.decode()}")
for request in (b"\0\0\0\0", b"\xff" * 1000, b"\r\n" * 1000, b"GET", b"GET /metrics", b"GET /metrics HTTP/9.9\r\n\r\n",
                b"GET /metrics HTTP/1.1\r\nHost", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"x" * 100000,
                b"GET /metrics HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 20000):
    answer = raw(request)
    ok(b" 200 " not in answer.split(b"\r\n", 1)[0], f"{request[:30]}...: no answer that is one ({answer[:24]})")
ok(raw(b"GET /metrics HTTP/1.0\r\n\r\n").startswith(b"HTTP/1."), "HTTP/1.0")
ok(b"# EOF" not in raw(b"GET /metrics HTTP/1.1\r\nHost: x\r\nAccept: " + b"a/b;q=0.1," * 300 +
                       b"*/*\r\nConnection: close\r\n\r\n"), "a long Accept")
server.scrape()

# ---- many, and slow ones ----

files = server.files()


def settles(what):
    """Each connection is given up in the end: no file is left, however long that takes here."""
    for _ in range(3000):
        if server.files() <= files:
            break
        time.sleep(0.1)
    ok(server.files() <= files, f"{what}: no connection is left")
    server.scrape()
    ok(server.proc.poll() is None, f"{what}: it goes on")


# Half a request, and an answer that nobody takes: none of them is in the way of others
slow = []
for i in range(20):
    s = socket.create_connection(("127.0.0.1", server.port))
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    s.sendall(b"GET /metrics HTTP/1.1\r\nHo" if i % 2 else b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 3)
    slow.append(s)
same(server.scrape().get("accel_up"), 1, "slow clients: others are answered")
settles("slow clients")
for s in slow:
    s.close()

# More than it takes: those above the limit are turned away
many = []
for _ in range(400):
    s = socket.socket()
    s.settimeout(60)
    s.connect(("127.0.0.1", server.port))
    many.append(s)
ok(server.files() - files <= 64, f"400 connections from one address: {server.files() - files} are kept")
settles("many connections")
for s in many:
    s.close()

# At once
results = []


def scrape():
    results.append([server.scrape().get("accel_up") for _ in range(5)])


threads = [threading.Thread(target=scrape) for _ in range(8)]
for t in threads:
    t.start()
for t in threads:
    t.join()
same(results, [[1] * 5] * 8, "eight at once, five times each")
settles("eight at once")
same(server.end(), (0, ""), "SIGTERM ends it")

# An address of IPv6, and all there are
for listen, host in ((":0", "127.0.0.1"), (":0", "::1"), ("[::1]:0", "::1")):
    other = Exporter(listen=listen)
    with socket.create_connection((host, other.port)) as s:
        s.sendall(b"HEAD / HTTP/1.0\r\n\r\n")
        ok(b" 200 " in s.recv(1000), f"--listen {listen}: [{host}] is served")
    same(other.end()[0], 0, f"--listen {listen}: its end")
done()
