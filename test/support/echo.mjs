// Stands in for the gate or the registry behind a real nginx: `node echo.mjs SOCKET`. Tells what it was sent. Asked
// about a request at /ask, it lets everything through but what has `refused` in its URI, and says that it comes from
// `ada`. `received`: bytes of all bodies.
import { createHash } from 'node:crypto';
import { chmodSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';

const [socket] = process.argv.slice(2);
let question;
let received = 0;

const server = createServer({ keepAliveTimeout: 120_000, maxHeaderSize: 64 * 1024 }, (request, response) => {
  const { method, url, headers } = request;
  if (url === '/ask') {
    question = { method, url, headers };
    if (headers['x-uri'].includes('refused')) response.writeHead(401).end();
    else response.writeHead(204, { 'x-user': 'ada' }).end();
    return;
  }
  const hash = createHash('sha256');
  let bytes = 0;
  request.on('data', (chunk) => {
    bytes += chunk.length;
    received += chunk.length;
    hash.update(chunk);
  });
  request.on('end', () => {
    const told = { by: socket, received, method, url, headers, bytes, sha256: hash.digest('hex'), question };
    response
      .writeHead(200, { 'content-type': 'application/json', 'x-user': 'ada' })
      .end(JSON.stringify(told));
  });
});
rmSync(socket, { force: true });
server.listen(socket, () => {
  chmodSync(socket, 0o666);
  process.stdout.write('listening\n');
});
process.on('SIGTERM', () => process.exit());
