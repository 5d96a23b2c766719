import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';

export interface Traffic {
  /** `expired`: how often a certificate was shown that had ended. */
  readonly stop: () => Promise<{ asked: number; failed: unknown[]; expired: number }>;
}

/** Asks for the start page again and again, each time over a new connection. */
export function keepAsking(port: number, name = 'localhost'): Traffic {
  let going = true;
  let asked = 0;
  let expired = 0;
  const failed: unknown[] = [];
  const loop = async () => {
    while (going) {
      asked += 1;
      const until = await askOnce(port, name).catch((error) => {
        failed.push(error);
      });
      if (until !== undefined && until < new Date()) expired += 1;
    }
  };
  const done = loop();
  return {
    stop: async () => {
      going = false;
      await done;
      return { asked, failed, expired };
    },
  };
}

/** A TLS connection to nginx on this machine. */
export async function openTls(port: number, name = 'localhost'): Promise<TLSSocket> {
  const socket = connect({ host: '127.0.0.1', port, servername: name, rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  return socket;
}

/** Until when the certificate is valid that was shown. */
async function askOnce(port: number, name: string): Promise<Date> {
  const socket = await openTls(port, name);
  const until = new Date(socket.getPeerX509Certificate()?.validTo ?? 0);
  socket.end(`GET / HTTP/1.1\r\nHost: ${name}\r\nConnection: close\r\n\r\n`);
  const [answer] = await once(socket, 'data');
  if (!String(answer).startsWith('HTTP/1.1 200')) throw new Error(String(answer));
  socket.destroy();
  return until;
}
