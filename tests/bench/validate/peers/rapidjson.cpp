/* rapidjson.cpp -- the peer RapidJSON: one pass, the reader drives the schema's validator. Its drafts end
 * with 4, of which the schemas measured with keep to what has not changed since. Protocol as validate.c.
 */
#define RAPIDJSON_SSE2
#include <rapidjson/document.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>
#include <rapidjson/schema.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

using namespace rapidjson;

struct Case {
    Document document;
    std::unique_ptr<SchemaDocument> schema;
    std::unique_ptr<SchemaValidator> validator;
    std::vector<std::string> payloads;
};

static std::string folder;
static std::map<std::string, Case> cases;

static std::string read_file(const std::string &path)
{
    std::ostringstream out;
    out << std::ifstream(path, std::ios::binary).rdbuf();
    return out.str();
}

static Case &find_case(const std::string &name)
{
    Case &found = cases[name];
    if (found.schema)
        return found;
    found.document.Parse(read_file(folder + "/" + name + ".schema.json").c_str());
    found.schema.reset(new SchemaDocument(found.document));
    found.validator.reset(new SchemaValidator(*found.schema));
    std::istringstream lines(read_file(folder + "/" + name + ".lines"));
    for (std::string line; std::getline(lines, line);)
        found.payloads.push_back(line);
    return found;
}

static void judge(Case &found, unsigned long passes)
{
    Reader reader;
    for (unsigned long pass = 0; pass < passes; pass++)
        for (const std::string &payload : found.payloads) {
            MemoryStream stream(payload.data(), payload.size());
            found.validator->Reset();
            if (!reader.Parse<kParseFullPrecisionFlag | kParseValidateEncodingFlag>(
                    stream, *found.validator) ||
                !found.validator->IsValid()) {
                std::fprintf(stderr, "rapidjson: a payload does not hold: %s\n", payload.c_str());
                std::exit(1);
            }
        }
}

static long long cpu_now()
{
    timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

int main(int, char **argv)
{
    std::string name;
    unsigned long passes;
    folder = argv[1];
    while (std::cin >> name >> passes) {
        Case &found = find_case(name);
        const long long before = cpu_now();
        judge(found, passes);
        std::cout << cpu_now() - before << std::endl;
    }
}
