# handshakes.py NAME SECONDS: new connections one after the other, never resumed. (openssl s_time names no server, and
# wrk resumes. A handshake costs Node half as much again, which would hide more of what the server does.)
import json, socket, ssl, sys, time

name, seconds = sys.argv[1], float(sys.argv[2])
address = (socket.gethostbyname(name), 443)
context = ssl.create_default_context(cafile="/load/ca.pem")
done, begun = 0, time.monotonic()
while time.monotonic() - begun < seconds:
    with socket.create_connection(address) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        context.wrap_socket(connection, server_hostname=name).close()
    done += 1
print(json.dumps({"requests": done, "seconds": time.monotonic() - begun}))
