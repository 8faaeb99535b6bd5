// express-openapi-validator before a handler that keeps what was sent: node express-openapi-validator.mjs OPENAPI PORT
import express from "express";
import OpenApiValidator from "express-openapi-validator";

const [apiSpec, port] = process.argv.slice(2);
const settings = {};
const names = {
  DefaultChatServiceSid: "default_chat_service_sid",
  DefaultMessagingServiceSid: "default_messaging_service_sid",
  DefaultInactiveTimer: "default_inactive_timer",
  DefaultClosedTimer: "default_closed_timer",
};
const app = express();
app.use(express.urlencoded({ extended: false }), express.json());
app.use(OpenApiValidator.middleware({ apiSpec, validateResponses: false }));
app.get("/v1/Configuration", (_, response) => response.json(settings));
app.post("/v1/Configuration", (request, response) => {
  for (const [name, value] of Object.entries(request.body ?? {})) {
    if (name in names) settings[names[name]] = value;
  }
  response.json(settings);
});
app.use((error, _request, response, _next) => {
  response.status(error.status ?? 500).json({ message: error.message, status: error.status ?? 500 });
});
app.listen(Number(port), "127.0.0.1");
