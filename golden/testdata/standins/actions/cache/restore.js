const fs = require('fs');
const kept = `${process.env.STANDIN_CACHES}/${process.env.INPUT_KEY}/file`;
const hit = fs.existsSync(kept);
if (hit) fs.copyFileSync(kept, process.env.INPUT_PATH);
fs.appendFileSync(process.env.GITHUB_OUTPUT, `cache-hit=${hit}\n`);
