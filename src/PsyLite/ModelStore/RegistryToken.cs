using System.Text.Json;
using System.Text.RegularExpressions;

namespace PsyLite.ModelStore;

/// <summary>The anonymous token that a registry may ask everybody to fetch first.</summary>
internal static partial class RegistryToken
{
    private const int MaxBytes = 64 << 10;

    /// <param name="challenge">realm="…",service="…",scope="…" of WWW-Authenticate.</param>
    /// <exception cref="PullException">It cannot be had.</exception>
    public static async Task<string> FetchAsync(HubHttp http, string challenge, Random random, CancellationToken cancellationToken)
    {
        var values = Pairs().Matches(challenge).ToDictionary(m => m.Groups[1].Value, m => m.Groups[2].Value, StringComparer.OrdinalIgnoreCase);
        if (!values.TryGetValue("realm", out var realm) || !Uri.TryCreate(realm, UriKind.Absolute, out var address) || !http.IsOrigin(address))
        {
            throw new PullException($"{http.Origin.Host} asks for a login at another place; that is refused. If the model is private, it cannot be pulled.");
        }

        var query = string.Join('&', values.Where(p => p.Key is "service" or "scope").Select(p => $"{p.Key}={Uri.EscapeDataString(p.Value)}"));
        http.Token = "";
        try
        {
            var bytes = await http.GetSmallAsync(new Uri($"{address.GetLeftPart(UriPartial.Path)}?{query}"), MaxBytes, "a token", "application/json", random, cancellationToken);
            using var json = JsonDocument.Parse(bytes);
            return json.RootElement.TryGetProperty("token", out var token) && token.GetString() is { Length: > 0 } text
                ? text
                : throw new PullException($"{http.Origin.Host} gave no token; the model may be private.");
        }
        catch (JsonException fault)
        {
            throw new PullException($"{http.Origin.Host} gave no readable token; try another mirror.", fault);
        }
    }

    [GeneratedRegex("([A-Za-z]+)=\"([^\"]*)\"")]
    private static partial Regex Pairs();
}
