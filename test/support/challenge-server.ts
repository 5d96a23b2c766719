import { createServer } from 'node:http';
import { listen, shut } from './listening.ts';

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
  });
  return { port: await listen(server), tokens, close: () => shut(server) };
}
