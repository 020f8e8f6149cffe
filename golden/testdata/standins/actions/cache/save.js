const fs = require('fs');
const dir = `${process.env.STANDIN_CACHES}/${process.env.INPUT_KEY}`;
fs.mkdirSync(dir, { recursive: true });
fs.copyFileSync(process.env.INPUT_PATH, `${dir}/file`);
