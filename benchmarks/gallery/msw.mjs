// msw with the handlers that @mswjs/source makes of the document, behind node's own server: node msw.mjs OPENAPI PORT
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { Readable } from "node:stream";
import { fromOpenApi } from "@mswjs/source/open-api";
import { getResponse } from "msw";

const [document, port] = process.argv.slice(2);
const base = `http://127.0.0.1:${port}`;
const openapi = { ...JSON.parse(readFileSync(document, "utf8")), servers: [{ url: base }] };
const handlers = await fromOpenApi(openapi);
const server = createServer(async (incoming, outgoing) => {
  const hasBody = !["GET", "HEAD"].includes(incoming.method);
  const request = new Request(new URL(incoming.url, base), {
    method: incoming.method,
    headers: incoming.headers,
    ...(hasBody && { body: Readable.toWeb(incoming), duplex: "half" }),
  });
  const response = (await getResponse(handlers, request)) ?? new Response(null, { status: 404 });
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  outgoing.end(Buffer.from(await response.arrayBuffer()));
});
server.listen(Number(port), "127.0.0.1");
