using System.CommandLine;
using PsyLite.Evaluation.Judging;
using PsyLite.Options;

namespace PsyLite.Commands.Eval;

/// <summary>The flags that choose who judges.</summary>
internal sealed class JudgeFlags
{
    private const string Rules = "rules";

    private readonly Option<string[]> _judge = new("--judge")
    {
        Description = "rules（不联网，不可与他人比较）、GGUF 文件，或 http://主机:端口#模型名；写两次得到一致性 · rules (no network, not comparable), a GGUF file, or http://HOST:PORT#MODEL; twice for agreement",
        DefaultValueFactory = _ => [Rules],
    };

    private readonly Option<string> _engine = new("--judge-engine") { Description = "openai | ollama", DefaultValueFactory = _ => "openai" };
    private readonly Option<float> _temperature;
    private readonly Option<int> _maxTokens;
    private readonly Option<int> _attempts = new("--judge-attempts") { Description = "读不懂时最多问几次 · how often an unreadable judge is asked", DefaultValueFactory = _ => 3 };

    /// <param name="temperature">As the official protocol has it.</param>
    public JudgeFlags(float temperature, int maxTokens)
    {
        _temperature = new Option<float>("--judge-temperature") { Description = "评分模型的温度 · the judge's temperature", DefaultValueFactory = _ => temperature };
        _maxTokens = new Option<int>("--judge-max-tokens") { Description = "评分的长度上限 · longest verdict", DefaultValueFactory = _ => maxTokens };
        _engine.AcceptOnlyFromAmong("openai", "ollama");
        EvalFlags.AtLeastOne(_attempts);
        EvalFlags.AtLeastOne(_maxTokens);
    }

    public void AddTo(Command command)
    {
        command.Options.Add(_judge);
        command.Options.Add(_engine);
        command.Options.Add(_temperature);
        command.Options.Add(_maxTokens);
        command.Options.Add(_attempts);
    }

    /// <summary>Judges in order; none where rules judge.</summary>
    /// <exception cref="InvalidDataException">Rules are mixed with models, or a judge is neither a file nor an address.</exception>
    public async Task<IReadOnlyList<ModelJudge>> OpenAsync(ParseResult parsed, EvalRun run, int attempts, CancellationToken cancellationToken)
    {
        var chosen = parsed.GetRequiredValue(_judge);
        if (chosen is [Rules])
        {
            return [];
        }

        var settings = new JudgeSettings(parsed.GetValue(_temperature), parsed.GetValue(_maxTokens), attempts);
        var judges = new List<ModelJudge>();
        var options = chosen.Select(judge => Options(judge, parsed.GetRequiredValue(_engine))).ToList();
        for (var i = 0; i < chosen.Length; i++)
        {
            judges.Add(await run.OpenJudgeAsync(Label(chosen[i], judges), options[i] with { EndpointKey = KeyOf(options[i], options) }, settings, cancellationToken));
        }

        return judges;
    }

    public int Attempts(ParseResult parsed) => parsed.GetValue(_attempts);

    private static string Label(string judge, List<ModelJudge> before)
    {
        var name = judge.Contains('#', StringComparison.Ordinal) ? judge[(judge.LastIndexOf('#') + 1)..]
            : Uri.TryCreate(judge, UriKind.Absolute, out var address) && !address.IsFile ? address.Authority : Path.GetFileNameWithoutExtension(judge);
        return before.Any(j => j.Name == name) ? $"{name} ({before.Count + 1})" : name;
    }

    /// <summary>The key goes to the first judge's host and to no other one, the second to the others.</summary>
    private static string? KeyOf(AppOptions judge, List<AppOptions> all)
    {
        var hosts = all.SelectMany(o => o.Endpoints.Take(1)).Select(e => e.Authority).Distinct().ToList();
        return judge.Endpoints.Count == 0 ? null : judge.Endpoints[0].Authority == hosts[0] ? judge.JudgeKey : judge.SecondJudgeKey;
    }

    private static AppOptions Options(string judge, string engine)
    {
        var options = AppOptions.FromEnvironment();
        if (File.Exists(judge))
        {
            return options with { Engine = EngineKind.Llama, Model = judge, Endpoints = [] };
        }

        var parts = judge.Split('#', 2);
        return AppOptions.EndpointsOf(parts[0].StartsWith("http", StringComparison.Ordinal) ? parts[0] : null, "--judge") is { } endpoints
            ? options with { Engine = AppOptions.EngineOf(engine, "--judge-engine")!.Value, Endpoints = endpoints, Model = parts.Length > 1 ? parts[1] : null }
            : throw new InvalidDataException($"--judge {judge}: 既不是文件也不是地址 · is neither a file nor an address; write rules, a GGUF file, or http://HOST:PORT#MODEL.");
    }
}
