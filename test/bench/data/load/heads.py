# heads.py NAME PORT tls|plain PATH ACCEPT CONNECTIONS SECONDS: HEAD over and over on connections that are kept. (wrk
# waits for the body that HEAD does not have; ab and h2load take a password on the command line only.)
import json, selectors, socket, ssl, sys, time

name, port, kind, path, accept, connections, seconds = sys.argv[1:]
lines = [f"HEAD {path} HTTP/1.1", f"Host: {name}", f"Accept: {accept}"]
with open("/load/authorization") as login:
    lines += [f"Authorization: {line.strip()}" for line in login]
request = ("\r\n".join(lines) + "\r\n\r\n").encode()
context = ssl.create_default_context(cafile="/load/ca.pem")
waiting = selectors.DefaultSelector()

for _ in range(int(connections)):
    connection = socket.create_connection((name, int(port)))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if kind == "tls":
        connection = context.wrap_socket(connection, server_hostname=name)
    waiting.register(connection, selectors.EVENT_READ)
    connection.sendall(request)

done, begun = 0, time.monotonic()
while time.monotonic() - begun < float(seconds):
    for key, _ in waiting.select():
        answer = key.fileobj.recv(16384)
        while not answer.endswith(b"\r\n\r\n"):
            more = key.fileobj.recv(16384)
            if not more:
                sys.exit("the connection was closed")
            answer += more
        if not answer.startswith(b"HTTP/1.1 200 "):
            sys.exit(f"{path}: {answer[:100]!r}")
        done += 1
        key.fileobj.sendall(request)
print(json.dumps({"requests": done, "seconds": time.monotonic() - begun}))
