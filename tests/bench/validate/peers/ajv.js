// The peer ajv, on Node: JSON.parse and a compiled validator. Protocol as validate.c.
//
//   NODE_PATH=…/node_modules node ajv.js FOLDER
//
// Time is the process's CPU time or the wall's, whichever is less: the collector's threads may run
// beside, and a busy machine may take the processor away.
'use strict';
const fs = require('fs');
const readline = require('readline');
const Ajv = require('ajv/dist/2020');

const folder = process.argv[2];
const cases = new Map();

function find(name) {
    if (!cases.has(name)) {
        const schema = JSON.parse(fs.readFileSync(`${folder}/${name}.schema.json`, 'utf8'));
        const lines = fs.readFileSync(`${folder}/${name}.lines`, 'utf8').trimEnd().split('\n');
        const validate = new Ajv({strict: false}).compile(schema);
        cases.set(name, {validate, payloads: lines.map((line) => Buffer.from(line))});
    }
    return cases.get(name);
}

function judge({validate, payloads}, passes) {
    for (let pass = 0; pass < passes; pass++)
        for (const payload of payloads)
            if (!validate(JSON.parse(payload.toString('utf8')))) {
                console.error(`ajv: a payload does not hold: ${payload}`);
                process.exit(1);
            }
}

readline.createInterface({input: process.stdin}).on('line', (line) => {
    const [name, passes] = line.split(' ');
    const found = find(name);
    const wall = process.hrtime.bigint();
    const cpu = process.cpuUsage();
    judge(found, Number(passes));
    const {user, system} = process.cpuUsage(cpu);
    console.log(Math.min(Number(process.hrtime.bigint() - wall), (user + system) * 1000));
});
