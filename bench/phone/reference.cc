// Times Google's libphonenumber (C++) at what engine.c times as "full".
#include <chrono>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include <phonenumbers/phonenumberutil.h>

using i18n::phonenumbers::PhoneNumber;
using i18n::phonenumbers::PhoneNumberUtil;

int main(int argc, char **argv)
{
	std::ifstream f(argv[1]);
	std::string line;
	std::vector<std::pair<std::string, std::string>> rows;
	while (std::getline(f, line)) {
		const auto tab = line.find('\t');
		std::string raw;
		for (size_t i = 0; i < tab; i++) {
			if (line[i] == '\\' && i + 1 < tab) {
				i++;
				raw += line[i] == 't' ? '\t' : line[i] == 'n' ? '\n' : line[i] == 'r' ? '\r' : line[i];
			} else
				raw += line[i];
		}
		rows.emplace_back(raw, line.substr(tab + 1));
	}
	const auto &util = *PhoneNumberUtil::GetInstance();
	size_t sink = 0;
	double best = 1e18;
	for (int round = 0; round < 2; round++) {
		const auto start = std::chrono::steady_clock::now();
		for (const auto &row : rows) {
			PhoneNumber n;
			if (util.Parse(row.first, row.second, &n) != PhoneNumberUtil::NO_PARSING_ERROR)
				continue;
			std::string e164, region;
			util.Format(n, PhoneNumberUtil::E164, &e164);
			util.GetRegionCodeForNumber(n, &region);
			sink += e164.size() + region.size() + util.IsValidNumber(n) + util.GetNumberType(n);
		}
		const double t = std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count();
		if (t < best)
			best = t;
	}
	std::printf("full %.1f\n", best / rows.size());
	return sink == 0;
}
