#include "podium/data/shop_words.h"

#include <iterator>

namespace podium::data {
namespace {

constexpr ShopCategory kCategories[] = {
    {"Home", "Kitchen", "Coffee", 45, {"Coffee Grinder", "Moka Pot", "Espresso Cup", "Kettle"}},
    {"Home", "Kitchen", "Cookware", 38, {"Frying Pan", "Saucepan", "Casserole", "Wok"}},
    {"Home", "Kitchen", "Knives", 52, {"Chef Knife", "Bread Knife", "Whetstone", "Knife Block"}},
    {"Home", "Lighting", "", 60, {"Desk Lamp", "Floor Lamp", "Pendant", "Night Light"}},
    {"Home", "Bedding", "", 70, {"Duvet", "Pillow", "Sheet Set", "Blanket"}},
    {"Garden", "Plants", "Indoor", 18, {"Fern", "Monstera", "Succulent Set", "Bonsai"}},
    {"Garden", "Plants", "Seeds", 5, {"Tomato Seeds", "Herb Seeds", "Wildflower Mix", "Bulbs"}},
    {"Garden", "Tools", "", 28, {"Pruner", "Garden Fork", "Watering Can", "Hose"}},
    {"Garden", "Barbecue", "", 120, {"Charcoal Grill", "Gas Grill", "Smoker", "Grill Tongs"}},
    {"Sports", "Running", "Shoes", 95, {"Road Shoe", "Trail Shoe", "Racing Flat", "Spikes"}},
    {"Sports", "Running", "Clothing", 40, {"Running Tights", "Singlet", "Wind Jacket", "Socks"}},
    {"Sports", "Cycling", "Parts", 35, {"Saddle", "Handlebar", "Chain", "Tyre"}},
    {"Sports", "Cycling", "Lights", 30, {"Front Light", "Rear Light", "Light Set", "Reflector"}},
    {"Sports", "Winter", "", 150, {"Ski Goggles", "Snowboard", "Ski Gloves", "Sledge"}},
    {"Sports", "Yoga", "", 32, {"Yoga Mat", "Block", "Strap", "Bolster"}},
    {"Beauty", "Skin Care", "Face", 22, {"Moisturiser", "Serum", "Cleanser", "Eye Cream"}},
    {"Beauty", "Skin Care", "Sun", 16, {"Sunscreen", "After-Sun Gel", "Lip Balm", "Sun Spray"}},
    {"Beauty", "Hair", "", 18, {"Shampoo", "Conditioner", "Hair Oil", "Hair Mask"}},
    {"Beauty", "Fragrance", "", 65, {"Eau de Parfum", "Cologne", "Body Mist", "Scented Candle"}},
    {"Electronics", "Audio", "Headphones", 110, {"Earbuds", "Headphones", "Headset", "Neckband"}},
    {"Electronics", "Audio", "Speakers", 140, {"Soundbar", "Bookshelf Speaker", "Radio", "Amp"}},
    {"Electronics", "Photo", "", 260, {"Lens", "Tripod", "Camera Bag", "Flash"}},
    {"Electronics", "Computing", "", 75, {"Keyboard", "Mouse", "Webcam", "Monitor Arm"}},
    {"Books", "Fiction", "Crime", 12, {"Detective Novel", "Thriller", "Noir", "Mystery"}},
    {"Books", "Fiction", "Fantasy", 14, {"Saga", "Fairy Tales", "Epic", "Chronicle"}},
    {"Books", "Cooking", "", 26, {"Cookbook", "Baking Book", "Wine Guide", "Spice Atlas"}},
    {"Books", "Travel", "", 20, {"City Guide", "Hiking Guide", "Atlas", "Travelogue"}},
    {"Toys", "Building", "", 42, {"Brick Set", "Marble Run", "Wooden Blocks", "Model Kit"}},
    {"Toys", "Games", "Board Games", 34, {"Strategy Game", "Family Game", "Party Game", "Chess"}},
    {"Toys", "Games", "Puzzles", 19, {"Jigsaw", "Puzzle Cube", "Brain Teaser", "Floor Puzzle"}},
    {"Toys", "Plush", "", 23, {"Teddy Bear", "Plush Fox", "Hand Puppet", "Plush Whale"}},
    {"Office", "Writing", "", 15, {"Fountain Pen", "Pencil Set", "Ink", "Notebook"}},
    {"Office", "Desk", "", 48, {"Desk Organiser", "Footrest", "Desk Mat", "Paper Tray"}},
    {"Office", "Bags", "", 85, {"Backpack", "Briefcase", "Messenger Bag", "Laptop Sleeve"}},
};

constexpr std::string_view kStyles[] = {"Classic", "Minimal",      "Retro",  "Playful",
                                        "Rugged",  "Scandinavian", "Luxury", "Eco"};
constexpr std::string_view kColours[] = {"Black", "White", "Walnut", "Navy",  "Sage",
                                         "Coral", "Sand",  "Slate",  "Amber", "Ivory"};
constexpr std::string_view kDetails[] = {
    "Made to last and easy to repair.",      "A gift that pleases nearly everyone.",
    "Tested for a year before it was sold.", "Small enough for the smallest flat.",
    "Packed without any plastic.",           "Now in a second, improved edition.",
    "Chosen by readers of three magazines.", "Comes with a guarantee of five years.",
    "Designed together with professionals.", "Light, quiet and simple to look after."};

constexpr std::string_view kSyllables[] = {"al",  "bel", "cor", "da",  "el",  "fen", "gra", "hol",
                                           "in",  "jo",  "kar", "lu",  "mar", "nor", "or",  "pel",
                                           "qui", "ra",  "sol", "tor", "ul",  "ven", "wil", "xan",
                                           "yor", "zel", "bri", "cal", "dro", "fin", "gal", "hem",
                                           "jun", "kel", "lor", "mi",  "nel", "ost", "pra", "ros"};

}  // namespace

std::span<const ShopCategory> shop_categories() { return kCategories; }
std::span<const std::string_view> shop_styles() { return kStyles; }
std::span<const std::string_view> shop_colours() { return kColours; }
std::span<const std::string_view> shop_details() { return kDetails; }

std::string shop_brand(uint32_t number) {
  constexpr uint32_t n = std::size(kSyllables);
  constexpr uint32_t kStep = 26489;  // no factor in common with n^3: neighbours look unlike
  uint32_t code = uint32_t(uint64_t(number) * kStep % (n * n * n));
  std::string name;
  for (int i = 0; i < 3; ++i, code /= n) name += kSyllables[code % n];
  name[0] = char(name[0] - 'a' + 'A');
  return name;
}

}  // namespace podium::data
