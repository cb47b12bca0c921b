// npm's @confluentinc/schemaregistry, read or write: every line of stdin is one value, every line of stdout too.
//
//   registry.js read URL TOPIC     in hex → JSON
//   registry.js write URL TOPIC    JSON → in hex, framed with the id of the subject's latest version
//
// In JSON a long is its digits as text, bytes and fixed are {"hex": …}, a union is its bare value.
const {SchemaRegistryClient, AvroDeserializer, AvroSerializer, SerdeType} = require('@confluentinc/schemaregistry');
const avro = require('avsc');
const lines = require('readline').createInterface({input: process.stdin});

// Every 64-bit number as it is: by itself avsc stops at 2^53.
const long = avro.types.LongType.__with({
    fromBuffer: bytes => bytes.readBigInt64LE(),
    toBuffer: n => { const bytes = Buffer.alloc(8); bytes.writeBigInt64LE(n); return bytes; },
    fromJSON: BigInt, toJSON: String,
    isValid: n => typeof n === 'bigint',
    compare: (a, b) => a < b ? -1 : a > b ? 1 : 0,
});
const options = {
    typeHook: schema => schema === 'long' || (schema && schema.type === 'long') ? long : undefined,
};

function told(value) {
    if (typeof value === 'bigint') return String(value);
    if (Buffer.isBuffer(value)) return {hex: value.toString('hex')};
    if (Array.isArray(value)) return value.map(told);
    if (value && typeof value === 'object')
        return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, told(item)]));
    return value;
}

// The other way round; which texts are longs the schema's author knows: {"long": "17"}.
function meant(value) {
    if (Array.isArray(value)) return value.map(meant);
    if (value && typeof value === 'object') {
        if (value.hex !== undefined) return Buffer.from(value.hex, 'hex');
        if (value.long !== undefined) return BigInt(value.long);
        return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, meant(item)]));
    }
    return value;
}

async function main([verb, url, topic]) {
    const client = new SchemaRegistryClient({baseURLs: [url]});
    const reader = new AvroDeserializer(client, SerdeType.VALUE, options);
    const writer = new AvroSerializer(client, SerdeType.VALUE,
                                      {...options, useLatestVersion: true, autoRegisterSchemas: false});
    for await (const line of lines) {
        if (verb === 'read')
            console.log(JSON.stringify(told(await reader.deserialize(topic, Buffer.from(line, 'hex')))));
        else
            console.log((await writer.serialize(topic, meant(JSON.parse(line)))).toString('hex'));
    }
}

main(process.argv.slice(2)).catch(error => { console.error(error); process.exit(1); });
