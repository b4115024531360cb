#pragma once

#include "templates/mustache.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <map>
#include <string>

namespace postrider::templates {

inline Partials partials_of(std::map<std::string, std::string> texts) {
    return [texts](std::string_view name) -> std::optional<Source> {
        auto found = texts.find(std::string(name));
        if (found == texts.end()) return std::nullopt;
        return Source{found->first, found->first + ".mustache", found->second};
    };
}

inline Template made(const std::string& text, std::map<std::string, std::string> partials = {},
                     const std::string& name = "digest.html") {
    auto result = parse({name, name + ".mustache", text}, partials_of(std::move(partials)));
    if (!result) throw std::runtime_error(result.error().front().text());
    return *result;
}

inline std::string rendered(const std::string& text, const char* data,
                            std::map<std::string, std::string> partials = {}) {
    return made(text, std::move(partials)).render(boost::json::parse(data));
}

// All faults, one on a line.
inline std::string faults_of(const std::string& text, std::map<std::string, std::string> partials = {}) {
    auto result = parse({"digest.html", "digest.html.mustache", text}, partials_of(std::move(partials)));
    std::string lines;
    if (!result)
        for (const Fault& fault : result.error()) lines += fault.text() + "\n";
    return lines;
}

}
