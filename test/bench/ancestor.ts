import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { BUILT } from '../../src/images/catalog.ts';
import { ensureBuilt } from '../support/built-images.ts';
import { NAME, type Stage, shown, until } from './stage.ts';

const WEBROOT = '/var/www/certbot';

/**
 * How a registry is served without Moorage: nginx reads certbot's folder, certbot runs in a container of its own when
 * somebody calls it, and somebody tells nginx. In front of the same registry, at the same address, by the same CA.
 */
export class Ancestor {
  readonly #stage: Stage;
  readonly #folder: string;

  private constructor(stage: Stage, folder: string) {
    this.#stage = stage;
    this.#folder = folder;
  }

  /** Takes the place of Moorage's nginx, which has to be stopped. */
  static async start(stage: Stage): Promise<Ancestor> {
    await ensureBuilt('certbot');
    const folder = join(stage.checkout.root, 'var/test/ancestor');
    const ancestor = new Ancestor(stage, folder);
    for (const each of ['conf.d', 'letsencrypt', 'webroot'])
      await mkdir(join(folder, each), { recursive: true });
    await writeFile(join(folder, 'compose.yaml'), composeFile(stage));
    await writeFile(join(folder, 'conf.d/http.conf'), HTTP);
    await ancestor.#compose('up', '--detach');
    await ancestor.#certbot(['certonly', '--webroot', '--webroot-path', WEBROOT, '--domain', NAME]);
    await writeFile(join(folder, 'conf.d/https.conf'), HTTPS);
    await ancestor.reload();
    await until('the ancestor answers', async () => (await shown(stage.target).catch(() => '')) !== '');
    return ancestor;
  }

  async renew(): Promise<void> {
    await this.#certbot(['renew', '--force-renewal', '--no-random-sleep-on-renew']);
  }

  async reload(): Promise<void> {
    await this.#compose('kill', '--signal', 'SIGHUP', 'nginx');
  }

  async restart(): Promise<void> {
    await this.#compose('kill', 'nginx');
    await this.#compose('up', '--detach', 'nginx');
  }

  async dispose(): Promise<void> {
    await this.#compose('down', '--timeout', '2');
  }

  async #compose(...args: readonly string[]): Promise<void> {
    await execa('docker', ['compose', '--project-directory', this.#folder, ...args]);
  }

  async #certbot(args: readonly string[]): Promise<void> {
    const { checkout, directory, trust } = this.#stage;
    const volumes = [
      `${this.#folder}/letsencrypt:/etc/letsencrypt`,
      `${this.#folder}/webroot:${WEBROOT}`,
      `${trust}:/trust.pem:ro`,
    ];
    const once = ['run', '--rm', '--network', `${checkout.project}_frontend`];
    const mounted = volumes.flatMap((volume) => ['--volume', volume]);
    const asked = ['--non-interactive', '--agree-tos', '--register-unsafely-without-email'];
    const trusting = ['--env', 'REQUESTS_CA_BUNDLE=/trust.pem', BUILT.certbot];
    await execa('docker', [...once, ...mounted, ...trusting, ...args, ...asked, '--server', directory]);
  }
}

function composeFile({ checkout }: Stage): string {
  const { project, env } = checkout;
  return `name: ${project}-ancestor
services:
  nginx:
    image: ${BUILT.nginx}
    ports: ["${env.BIND_ADDRESS}:${env.HTTP_PORT}:80", "${env.BIND_ADDRESS}:${env.HTTPS_PORT}:443"]
    volumes:
      - ./conf.d:/etc/nginx/conf.d:ro
      - ./letsencrypt:/etc/letsencrypt:ro
      - ./webroot:${WEBROOT}:ro
      - registry-socket:/run/registry:ro
    networks: [frontend]
networks:
  frontend: { external: true, name: ${project}_frontend }
volumes:
  registry-socket: { external: true, name: ${project}_registry-socket }
`;
}

const HTTP = `server {
    listen 80;
    location /.well-known/acme-challenge/ { root ${WEBROOT}; }
}
`;

const HTTPS = `server {
    listen 443 ssl;
    ssl_certificate /etc/letsencrypt/live/${NAME}/fullchain.pem;
    ssl_certificate_key /etc/letsencrypt/live/${NAME}/privkey.pem;
    client_max_body_size 0;
    location / {
        proxy_pass http://unix:/run/registry/registry.sock;
        proxy_set_header Host $http_host;
        proxy_set_header X-Forwarded-Proto $scheme;
        proxy_read_timeout 900;
    }
}
`;
