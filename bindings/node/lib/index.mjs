// Made from api/gigachat.json by generate.mjs. Do not edit.
import api from './index.js';

export default api;
export const {
  GigaChat, Router, ChatStream, GigaChatError, version, liveHandles,
  AuthenticationError,
  PaymentRequiredError,
  PermissionDeniedError,
  NotFoundError,
  PayloadTooLargeError,
  InvalidRequestError,
  RateLimitError,
  ServerError,
  TimeoutError,
  ConnectionError,
  TlsError,
  ProtocolError,
  IncompleteStreamError,
  CancelledError,
  ConfigurationError,
  ForkedError,
  ShutdownError,
  InternalError,
} = api;
