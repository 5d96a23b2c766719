# handshakes.py NAME SECONDS: as many new connections as four processes can make, none of them resumed. (openssl s_time
# names no server, and wrk resumes. A handshake costs Node half as much again, which would hide more of the server's.)
import json, multiprocessing, socket, ssl, sys, time

name, seconds = sys.argv[1], float(sys.argv[2])
address = (socket.gethostbyname(name), 443)
context = ssl.create_default_context(cafile="/load/ca.pem")


def count(_):
    done, begun = 0, time.monotonic()
    while time.monotonic() - begun < seconds:
        with socket.create_connection(address) as connection:
            context.wrap_socket(connection, server_hostname=name).close()
        done += 1
    return done / (time.monotonic() - begun)


with multiprocessing.get_context("fork").Pool(4) as pool:
    print(json.dumps({"requests": sum(pool.map(count, range(4), 1)) * seconds, "seconds": seconds}))
