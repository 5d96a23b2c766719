import { writeFileSync } from 'node:fs';
import { Checkout } from './test/support/checkout.ts';
const env = Object.fromEntries(process.argv.slice(2).map((x) => x.split(/=(.*)/s).slice(0, 2)));
const c = await Checkout.make(env);
const t = Date.now();
const r = await c.init();
writeFileSync('/tmp/gc-dev/stack.json', JSON.stringify({ root: c.root, env: c.env, user: r.firstUser }));
console.log(c.root, c.env, r.firstUser, Date.now() - t);
