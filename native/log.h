// llama.cpp's logs, line by line, as events.
#pragma once

class outbox;

// Sends every further log line of llama.cpp, ggml and the server core to `sink`; null: to nobody.
void log_to(outbox * sink);
