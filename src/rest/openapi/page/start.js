/* global SwaggerUIBundle */
SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#page",
  deepLinking: true,
  docExpansion: "none",
  // Neither a validator nor anything else outside is asked.
  validatorUrl: null,
  persistAuthorization: false,
  defaultModelsExpandDepth: 0,
});
