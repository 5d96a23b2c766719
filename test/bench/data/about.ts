import { versions } from './images.ts';

interface Extent {
  readonly rounds: number;
  readonly seconds: number;
}

/** What a reader of the table has to know. */
export async function about({ rounds, seconds }: Extent): Promise<string[]> {
  return [
    `Medians of ${rounds} ${rounds === 1 ? 'round' : 'rounds'}, with the least and the most; ratios are taken within a
round. "The best other" and "the better nginx" are those with the best median in that line; the goals name them.`,
    `${await versions()}, all from Debian.`,
    `Each front is a container on a bridge of this machine, and so is what makes the load, on the same cores. All show
the same certificate (ECDSA P-256) and all store on the same disk with the same distribution: Moorage has its own copy of
the content, the others share one. Moorage is as init-tls leaves it, with the login of a user whose password has cost 12;
the others ask for no login, which is to their advantage. "A guide": distribution's own nginx recipe as it is still
copied, TLS 1.2 and everything else nginx's default; "the ancestor": the same with HTTP/2, TLS 1.3 and records of 8 KiB.
Caddy has its defaults (\`reverse_proxy\`, a certificate from files).`,
    `The load speaks HTTP/1.1 as Docker does and offers AES-128 first as Docker does. Pulls: wrk for ${seconds} s, what has
arrived by then counts. Pushes: curl, as Docker does it (POST, PATCH, PUT), new content each time. CPU: of all
processes a front needs, distribution's included, over all pulls (pushes) of the kind. Written: what these processes made
the kernel write (write_bytes in /proc/PID/io), which counts spooled files whether or not they live to reach the disk.`,
  ].map((text) => text.replaceAll('\n', ' '));
}
