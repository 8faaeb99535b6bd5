// openapi-backend with the handlers of its README, behind express: node openapi-backend.mjs OPENAPI PORT
import express from "express";
import { OpenAPIBackend } from "openapi-backend";

const [definition, port] = process.argv.slice(2);
const api = new OpenAPIBackend({
  definition,
  handlers: {
    notImplemented: (context, _, response) => {
      const { status, mock } = context.api.mockResponseForOperation(context.operation.operationId);
      response.status(status).json(mock);
    },
    validationFail: (context, _, response) => response.status(400).json({ err: context.validation.errors }),
    unauthorizedHandler: (_context, _, response) => response.status(401).json({ err: "unauthorized" }),
    methodNotAllowed: (_context, _, response) => response.status(405).json({ err: "method not allowed" }),
    notFound: (_context, _, response) => response.status(404).json({ err: "not found" }),
  },
  securityHandlers: { accountSid_authToken: (context) => Boolean(context.request.headers.authorization) },
});
await api.init();
const app = express();
app.use(express.urlencoded({ extended: false }), express.json());
app.use((request, response) => api.handleRequest(request, request, response));
app.listen(Number(port), "127.0.0.1");
