#include "templates/plan.hpp"

#include "templates/layout.hpp"

#include <boost/json.hpp>
#include <kainjow/mustache.hpp>

#include <algorithm>
#include <array>
#include <cassert>
#include <charconv>
#include <deque>
#include <functional>
#include <optional>

namespace postrider::templates {
namespace {

namespace json = boost::json;
namespace library = kainjow::mustache;

constexpr std::size_t largest_result = 256 * 1024 * 1024;
constexpr std::size_t most_steps = 20'000'000; // a second; sections over the same list within one another multiply

bool is_true(const json::value& value) {
    switch (value.kind()) {
    case json::kind::null: return false;
    case json::kind::bool_: return value.get_bool();
    case json::kind::int64: return value.get_int64() != 0;
    case json::kind::uint64: return value.get_uint64() != 0;
    case json::kind::double_: return value.get_double() != 0;
    case json::kind::string: return !value.get_string().empty();
    case json::kind::array: return !value.get_array().empty();
    case json::kind::object: return true;
    }
    return false;
}

using Digits = std::array<char, 32>;

std::string_view text_of(const json::value& value, Digits& digits) {
    auto number = [&](auto n) {
        auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), n);
        return std::string_view(digits.data(), std::size_t(end - digits.data()));
    };
    switch (value.kind()) {
    case json::kind::bool_: return value.get_bool() ? "true" : "false";
    case json::kind::int64: return number(value.get_int64());
    case json::kind::uint64: return number(value.get_uint64());
    case json::kind::double_: return number(value.get_double());
    case json::kind::string: return {value.get_string().data(), value.get_string().size()};
    default: return {};
    }
}

// What has been written: literals run together, slots and conditions stand between them.
class Output {
public:
    std::string text; // since the last piece

    void piece(Piece::Kind kind, std::uint32_t slot) {
        end_literal();
        if (kind == Piece::Kind::begin_if || kind == Piece::Kind::begin_unless)
            open_.push_back(std::uint32_t(pieces_.size()));
        if (kind == Piece::Kind::end) {
            pieces_[open_.back()].partner = std::uint32_t(pieces_.size());
            open_.pop_back();
        }
        pieces_.push_back({kind, slot, 0, {}});
    }

    std::vector<Piece> pieces() && {
        end_literal();
        return std::move(pieces_);
    }

    // Every piece counts as some bytes, so that slots in a loop have a bound too.
    std::size_t size() const { return bytes_ + text.size(); }

private:
    void end_literal() {
        bytes_ += text.size() + sizeof(Piece);
        if (!text.empty()) pieces_.push_back({Piece::Kind::literal, 0, 0, std::move(text)});
        text.clear();
    }

    std::vector<Piece> pieces_;
    std::vector<std::uint32_t> open_;
    std::size_t bytes_ = 0;
};

// The library asks for a run just when it would write it, so the answer is written then and there, and the library,
// which would copy it three times, gets nothing. For sections it gets stand-ins, and names them when it goes inside.
class Context final : public library::basic_context<std::string> {
public:
    Context(const Layout& layout, const json::value& data, Output& output) : layout_(&layout), output_(output) {
        // Expansions are laid out as the data asks for them: in a copy, since the layout is shared.
        if (layout.has_expansions()) layout_ = &own_.emplace(layout);
        values_.push_back(&data);
    }

    void push(const library::data* stand_in) override {
        if (stand_in == &single_) {
            values_.push_back(entered_);
            return;
        }
        for (auto list = lists_.rbegin(); list != lists_.rend(); ++list) {
            const auto& items = list->stand_ins.list_value();
            bool inside =
                !std::less<>()(stand_in, items.data()) && std::less<>()(stand_in, items.data() + items.size());
            if (!inside) continue;
            values_.push_back(&(*list->array)[std::size_t(stand_in - items.data())]);
            return;
        }
    }

    void pop() override { values_.pop_back(); }

    const std::vector<std::string>& slots() const { return layout_->slots(); }

    const library::data* get(const std::string& name) const override {
        std::uint32_t number = number_in(name);
        count(1);
        if (name.front() == 'r') {
            for (Run run = layout_->runs()[number]; run.first < run.last; ++run.first) take(run.first);
            return nullptr;
        }
        const json::value* value = find(layout_->paths()[number]);
        if (!value || !is_true(*value)) return nullptr;
        if (name.front() == 's' && value->is_array()) return list(value->get_array());
        entered_ = value;
        return &single_;
    }

    const library::data* get_partial(const std::string& name) const override {
        count(1);
        partial_ = library::data(own_->skeleton_of(number_in(name)));
        return &partial_;
    }

private:
    struct List {
        std::size_t depth; // of the values around it
        const json::array* array;
        library::data stand_ins{library::data::type::list};
    };

    static std::uint32_t number_in(const std::string& name) {
        std::uint32_t number = 0;
        std::from_chars(name.data() + 1, name.data() + name.size(), number);
        return number;
    }

    const library::data* list(const json::array& array) const {
        // A list that was opened at this depth or deeper is behind us.
        while (!lists_.empty() && lists_.back().depth >= values_.size()) lists_.pop_back();
        count(array.size());
        List& list = lists_.emplace_back(values_.size(), &array);
        for (std::size_t i = 0; i < array.size(); ++i) list.stand_ins.push_back(single_);
        return &list.stand_ins;
    }

    // The first part of a name is looked for from the inside out; once found, the rest must be there (specification:
    // "Dotted Names - Context Precedence").
    const json::value* find(const Path& path) const {
        if (path.empty()) return values_.back();
        for (auto value = values_.rbegin(); value != values_.rend(); ++value) {
            const json::value* found = member(**value, path.front());
            for (std::size_t i = 1; found && i < path.size(); ++i) {
                found = member(*found, path[i]);
                if (!found) return nullptr;
            }
            if (found) return found;
        }
        return nullptr;
    }

    static const json::value* member(const json::value& value, const std::string& name) {
        const json::object* object = value.if_object();
        return object ? object->if_contains(name) : nullptr;
    }

    void take(std::uint32_t number) const {
        const Step& step = layout_->steps()[number];
        Digits digits;
        count(1);
        auto value_text = [&] {
            const json::value* value = find(layout_->paths()[step.index]);
            return value ? text_of(*value, digits) : std::string_view();
        };
        switch (step.kind) {
        case Step::Kind::literal: output_.text += layout_->literals()[step.index]; break;
        case Step::Kind::escaped: append_escaped(output_.text, value_text()); break;
        case Step::Kind::raw: output_.text += value_text(); break;
        case Step::Kind::slot_escaped: output_.piece(Piece::Kind::escaped, step.index); break;
        case Step::Kind::slot_raw: output_.piece(Piece::Kind::raw, step.index); break;
        case Step::Kind::begin_if: output_.piece(Piece::Kind::begin_if, step.index); break;
        case Step::Kind::begin_unless: output_.piece(Piece::Kind::begin_unless, step.index); break;
        case Step::Kind::end: output_.piece(Piece::Kind::end, 0); break;
        }
        if (output_.size() > largest_result) too_much("grows over 256 MB");
    }

    void count(std::size_t steps) const {
        steps_ += steps;
        if (steps_ > most_steps) too_much("takes too many steps");
    }

    [[noreturn]] void too_much(const char* what) const {
        throw TemplateError(
            Fault{layout_->root().source.file, 1, 1, std::string("over this data the template ") + what});
    }

    // The library asks through const functions.
    const Layout* layout_;
    mutable std::optional<Layout> own_;
    Output& output_;
    std::vector<const json::value*> values_; // the innermost last
    library::data single_{true};
    mutable const json::value* entered_ = nullptr; // what single_ stands for, until the library goes inside
    mutable std::deque<List> lists_;
    mutable library::data partial_;
    mutable std::size_t steps_ = 0;
};

struct Nowhere {
    Nowhere& operator<<(const std::string&) { return *this; }
};

}

struct Plan::State {
    State(const Template& source, const ReaderNames* readers) : layout(source, readers), skeleton(layout.skeleton()) {
        assert(skeleton.is_valid());
    }

    // The slots it met: more than the layout has, where expansions were laid out on the way.
    std::vector<std::string> walk(const json::value& data, Output& output) {
        Context context(layout, data, output);
        Nowhere nowhere;
        skeleton.render(context, nowhere);
        return context.slots();
    }

    Layout layout;
    library::mustache
        skeleton; // its render() is not const, but changes only the message of an error, which a skeleton has not
};

Plan::Plan(const Template& source, const ReaderNames* readers) : state_(std::make_unique<State>(source, readers)) {}

Plan::~Plan() = default;

std::string Plan::render(const json::value& data) const {
    Output output;
    state_->walk(data, output);
    return std::move(output.text);
}

Program Plan::run(const json::value& data) const {
    Output output;
    auto slots = state_->walk(data, output);
    return Program(std::move(slots), std::move(output).pieces());
}

}
