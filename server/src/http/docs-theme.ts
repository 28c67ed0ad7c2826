/**
 * What Swagger UI lacks: a page that fits a phone, and a dark one for those who asked for it. Its own
 * colours are hundreds, so the dark page is the light one turned, and code, which is dark already, is
 * turned back.
 */
export const docsTheme = `
html { background: #fff; -webkit-text-size-adjust: none; text-size-adjust: none }
body { max-width: 100vw; overflow-x: hidden }
.swagger-ui .info { margin: 1.5rem 0 }
.swagger-ui pre, .swagger-ui .model-box { max-width: 100%; overflow-x: auto }
.swagger-ui :focus-visible { outline: 2px solid #1c5fd6; outline-offset: 2px }

@media (max-width: 40rem) {
  .swagger-ui .wrapper { padding: 0 0.75rem }
  .swagger-ui .info .title { font-size: 1.75rem }
  .swagger-ui .scheme-container { padding: 1rem 0 }
  .swagger-ui .opblock-tag { flex-wrap: wrap; padding: 0.75rem 0 }
  .swagger-ui .opblock-tag small { flex-basis: 100%; padding: 0 }
  .swagger-ui .opblock .opblock-summary { flex-wrap: wrap }
  .swagger-ui .opblock-summary-control { min-width: 0; flex-wrap: wrap }
  .swagger-ui .opblock .opblock-summary-method { min-width: 4.5rem; padding: 0.375rem 0 }
  .swagger-ui .opblock .opblock-summary-path { max-width: 100%; font-size: 0.8125rem; word-break: break-all }
  .swagger-ui .opblock .opblock-summary-description { flex-basis: 100%; padding: 0.25rem 0 }
  .swagger-ui table:not(.model) { display: block; width: 100%; overflow-x: auto }
  .swagger-ui table.parameters thead { display: none }
  .swagger-ui table.parameters :is(tbody, tr, td) { display: block; width: auto; max-width: 100% }
  .swagger-ui .parameters-col_description input { max-width: 100% }
  .swagger-ui .response-col_status { min-width: 3rem }
  .swagger-ui .dialog-ux .modal-ux { width: 100%; min-width: 0; max-width: 100vw }
}

@media (prefers-color-scheme: dark) {
  html { background: #131313 }
  body { background: #131313 }
  .swagger-ui { filter: invert(0.93) hue-rotate(180deg) }
  .swagger-ui .highlight-code, .swagger-ui .microlight, .swagger-ui .curl-command {
    filter: invert(1) hue-rotate(180deg);
  }
}
`
