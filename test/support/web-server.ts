import { createServer, type IncomingHttpHeaders, type RequestListener } from 'node:http';
import { listen, shut } from './listening.ts';

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A server on loopback that keeps what it gets and answers as `answer` says. */
export async function startWebServer(answer: RequestListener) {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk;
    received.push({ method: request.method ?? '', path: request.url ?? '', headers: request.headers, body });
    answer(request, response);
  });
  server;
  const port = await listen(server);
  return { received, host: `127.0.0.1:${port}`, stop: () => shut(server) };
}
