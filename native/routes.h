// Which handler of llama.cpp's server core answers which method and path.
#pragma once

#include <server-context.h>

#include <string>

struct route {
    server_http_context::handler_t handler; // empty: no such route
    bool                           quick;   // does not generate; must not wait behind what does
    bool                           known;   // the path exists, with another method
};

class router {
  public:
    router(server_routes & routes, server_context & context);

    // Finds the route and puts the path's own parameters into `params`.
    route find(const std::string & method, const std::string & path,
               std::map<std::string, std::string> & params) const;

  private:
    struct entry {
        const char *                   method;
        const char *                   path;
        server_http_context::handler_t handler;
        bool                           quick;
    };

    std::vector<entry> entries;
};

// Runs a handler; whatever it throws becomes an error response.
server_http_res_ptr handle(const server_http_context::handler_t & handler,
                           const server_http_req &                req);

// A response that tells of an error in OpenAI's shape.
server_http_res_ptr error_response(int status, const char * type, const std::string & message);
