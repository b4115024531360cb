// mailauth.js RECORDS.json FOLDER: prints {file: {algorithm: result}}.
const fs = require('fs');
const path = require('path');
const { createRequire } = require('module');
const { dkimVerify } = createRequire(path.join(process.env.NODE_PATH || process.cwd(), 'x'))('mailauth/lib/dkim/verify');

const [, , recordsFile, folder] = process.argv;
const records = JSON.parse(fs.readFileSync(recordsFile, 'utf8'));

async function resolver(name, type) {
    if (type === 'TXT' && records[name]) return [[records[name]]];
    throw Object.assign(new Error(`${name} has no ${type}`), { code: 'ENOTFOUND' });
}

(async () => {
    const all = {};
    for (const name of fs.readdirSync(folder)) {
        const { results } = await dkimVerify(fs.readFileSync(path.join(folder, name)), { resolver, minBitLength: 1024 });
        all[name] = Object.fromEntries(results.map(one => [one.algo, one.status.result + (one.status.comment ? `: ${one.status.comment}` : '')]));
    }
    process.stdout.write(JSON.stringify(all));
})();
