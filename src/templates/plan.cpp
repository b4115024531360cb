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
#include <utility>

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
        // Expansions are laid out, and slots added, as the data asks for them: in a copy, since the layout is shared.
        if (layout.has_expansions() || layout.has_readers()) layout_ = &own_.emplace(layout);
        values_.push_back(&data);
    }

    void push(const library::data* stand_in) override {
        if (stand_in == &single_) return enter(*entered_, std::exchange(condition_, std::nullopt));
        for (auto list = lists_.rbegin(); list != lists_.rend(); ++list) {
            const auto& items = list->stand_ins.list_value();
            bool inside =
                !std::less<>()(stand_in, items.data()) && std::less<>()(stand_in, items.data() + items.size());
            if (!inside) continue;
            auto& item = list->items[std::size_t(stand_in - items.data())];
            return enter(*item.value, item.condition);
        }
    }

    void pop() override {
        values_.pop_back();
        if (conditional_.back()) output_.piece(Piece::Kind::end, 0);
        conditional_.pop_back();
    }

    const std::vector<std::string>& slots() const { return layout_->slots(); }

    const library::data* get(const std::string& name) const override {
        std::uint32_t number = number_in(name);
        count(1);
        if (name.front() == 'r') {
            for (Run run = layout_->runs()[number]; run.first < run.last; ++run.first) take(run.first);
            return nullptr;
        }
        bool inverted = name.front() == 'n';
        if (auto choice = choice_of(layout_->paths()[number]); !choice.empty()) return list(choice, inverted);
        const json::value* value = find(layout_->paths()[number]);
        auto slot = value ? slot_in(*value, reader_slot) : std::nullopt;
        if (slot)
            condition_ = {inverted ? Piece::Kind::begin_unless : Piece::Kind::begin_if, *slot};
        else if ((value && is_true(*value)) == inverted)
            return nullptr;
        else if (!inverted && value->is_array())
            return list(value->get_array());
        entered_ = inverted ? values_.back() : value; // an inverted section goes into nothing
        return &single_;
    }

    const library::data* get_partial(const std::string& name) const override {
        count(1);
        partial_ = library::data(own_->skeleton_of(number_in(name)));
        return &partial_;
    }

private:
    struct Condition {
        Piece::Kind kind;
        std::uint32_t slot;
    };
    struct Item {
        const json::value* value; // of a choice perhaps null: it has no such member
        std::optional<Condition> condition;
    };
    struct List {
        std::size_t depth; // of the values around it
        std::vector<Item> items;
        library::data stand_ins{library::data::type::list};
    };

    void enter(const json::value& value, std::optional<Condition> condition) {
        values_.push_back(&value);
        conditional_.push_back(condition.has_value());
        if (condition) output_.piece(condition->kind, condition->slot);
    }

    // The slot that the data names in this member of an object.
    std::optional<std::uint32_t> slot_in(const json::value& value, std::string_view by) const {
        if (!layout_->has_readers() || !value.is_object()) return std::nullopt;
        auto* name = value.get_object().if_contains(by);
        return name ? std::optional(own_->slot_named(name->as_string())) : std::nullopt;
    }

    static std::uint32_t number_in(const std::string& name) {
        std::uint32_t number = 0;
        std::from_chars(name.data() + 1, name.data() + name.size(), number);
        return number;
    }

    const library::data* list(const json::array& array) const {
        // A list that was opened at this depth or deeper is behind us.
        while (!lists_.empty() && lists_.back().depth >= values_.size()) lists_.pop_back();
        count(array.size());
        List& list = lists_.emplace_back(values_.size());
        for (auto& value : array) {
            list.items.push_back({&value, condition_of(value)});
            list.stand_ins.push_back(single_);
        }
        return &list.stand_ins;
    }

    // Of a choice those whose value is true; inverted, the others, and nothing is gone into.
    const library::data* list(const std::vector<Item>& choice, bool inverted) const {
        while (!lists_.empty() && lists_.back().depth >= values_.size()) lists_.pop_back();
        count(choice.size());
        List& list = lists_.emplace_back(values_.size());
        for (auto& [value, condition] : choice) {
            if ((value && is_true(*value)) == inverted) continue;
            list.items.push_back({inverted ? values_.back() : value, condition});
            list.stand_ins.push_back(single_);
        }
        return &list.stand_ins;
    }

    std::optional<Condition> condition_of(const json::value& value) const {
        auto slot = slot_in(value, only_if);
        return slot ? std::optional(Condition{Piece::Kind::begin_if, *slot}) : std::nullopt;
    }

    // What a path may lead to where its first part is a choice; else nothing.
    std::vector<Item> choice_of(const Path& path) const {
        std::vector<Item> items;
        if (!layout_->has_readers() || path.empty()) return items;
        for (auto value = values_.rbegin(); value != values_.rend(); ++value) {
            const json::value* found = member(**value, path.front());
            if (!found) continue;
            auto* choice = member(*found, reader_choice);
            if (!choice) return items;
            for (auto& one : choice->as_array()) {
                const json::value* at = &one;
                for (std::size_t i = 1; at && i < path.size(); ++i) at = member(*at, path[i]);
                items.push_back({at, condition_of(one)});
            }
            return items;
        }
        return items;
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

    static const json::value* member(const json::value& value, std::string_view name) {
        const json::object* object = value.if_object();
        return object ? object->if_contains(name) : nullptr;
    }

    void take(std::uint32_t number) const {
        const Step& step = layout_->steps()[number];
        Digits digits;
        count(1);
        auto write_value = [&](Piece::Kind kind, const json::value* value) {
            if (!value) return;
            if (auto slot = slot_in(*value, reader_slot)) return output_.piece(kind, *slot);
            auto text = text_of(*value, digits);
            if (kind == Piece::Kind::escaped)
                append_escaped(output_.text, text);
            else
                output_.text += text;
        };
        auto write = [&](Piece::Kind kind) {
            auto& path = layout_->paths()[step.index];
            auto choice = choice_of(path);
            if (choice.empty()) return write_value(kind, find(path));
            for (auto& [value, condition] : choice) {
                output_.piece(Piece::Kind::begin_if, condition->slot);
                write_value(kind, value);
                output_.piece(Piece::Kind::end, 0);
            }
        };
        switch (step.kind) {
        case Step::Kind::literal: output_.text += layout_->literals()[step.index]; break;
        case Step::Kind::escaped: write(Piece::Kind::escaped); break;
        case Step::Kind::raw: write(Piece::Kind::raw); break;
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
    std::vector<bool> conditional_; // of each but the outermost: whether it is inside a condition of its own
    mutable const json::value* entered_ = nullptr; // what single_ stands for, until the library goes inside
    mutable std::optional<Condition> condition_;   // and on what going inside depends
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
