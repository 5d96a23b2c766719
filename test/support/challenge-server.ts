import { once } from 'node:events';
import { createServer } from 'node:http';

export interface ChallengeServer {
  readonly port: number;
  /** What is answered under /.well-known/acme-challenge/, by token. */
  readonly tokens: Map<string, string>;
  readonly close: () => Promise<void>;
}

/** Answers http-01 challenges (RFC 8555 section 8.3) on the loopback. */
export async function startChallengeServer(): Promise<ChallengeServer> {
  const tokens = new Map<string, string>();
  const server = createServer(({ url = '' }, answer) => {
    const content = tokens.get(url.replace('/.well-known/acme-challenge/', ''));
    answer.writeHead(content === undefined ? 404 : 200).end(content);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const close = async () => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  };
  return { port: typeof address === 'object' && address !== null ? address.port : 0, tokens, close };
}
