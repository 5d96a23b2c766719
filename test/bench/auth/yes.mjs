// Says yes to everything, over a Unix socket and over TCP: what asking costs, whoever is asked.
import { chmodSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';

const [socket, port] = process.argv.slice(2);
const answer = (_, response) => response.writeHead(204).end();
rmSync(socket, { force: true });
createServer({ keepAliveTimeout: 300_000 }, answer).listen(socket, () => chmodSync(socket, 0o666));
createServer({ keepAliveTimeout: 300_000 }, answer).listen(Number(port), '127.0.0.1');
