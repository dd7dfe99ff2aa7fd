using PsyLite.Agent.Risk;
using PsyLite.Agent.Risk.Patterns;
using YamlDotNet.RepresentationModel;

namespace PsyLite.Tests.Agent.Risk;

/// <summary>What the rule files can say, on rules made for the purpose.</summary>
public sealed class RuleBookTests
{
    private const string Contexts = """
        contexts:
          denied: { before: [不(会)?], cancelledBy: [骗你的] }
          story: { near: [小说] }
        """;

    [Theory]
    [InlineData("我想蓝", Tier.T2)]
    [InlineData("我不想蓝", Tier.T0)]
    [InlineData("我不想蓝，骗你的", Tier.T2)]
    [InlineData("小说看多了，想绿", Tier.T1)]
    [InlineData("小说写完了。我想绿", Tier.T2)]
    [InlineData("我想蓝天", Tier.T0)]
    [InlineData("室友说想蓝", Tier.TF)]
    public void Contexts_excuse_within_their_reach(string text, Tier tier) => Assert.Equal(tier, Read(text, """
        rules:
          - { id: T2.blue, tier: T2, unless: [denied], not: [蓝天], patterns: [想蓝] }
          - { id: T2.green, tier: T2, unless: [story], otherwise: T1, patterns: [想绿] }
        """).Tier);

    [Fact]
    public void A_rule_may_need_company()
    {
        const string rules = """
            rules:
              - { id: mood.low, kind: feature, patterns: [好累] }
              - { id: T2.red, tier: T2, with: [mood.], patterns: [想红] }
            """;
        Assert.Equal(Tier.T0, Read("想红", rules).Tier);
        Assert.Equal(Tier.T2, Read("好累，想红", rules).Tier);
    }

    [Fact]
    public void A_masked_phrase_hides_what_is_in_it()
    {
        const string rules = """
            rules:
              - { id: mask.x, kind: mask, patterns: [笑死] }
              - { id: T2.x, tier: T2, patterns: [死] }
            """;
        Assert.Equal(Tier.T0, Read("笑死", rules).Tier);
        Assert.Equal(Tier.T2, Read("笑死，死", rules).Tier);
    }

    [Theory]
    [InlineData("rules: [{ id: a, tier: T2, unless: [nowhere], patterns: [词] }]", "unknown context")]
    [InlineData("rules: [{ tier: T2, patterns: [词] }]", "no id")]
    [InlineData("rules: [{ id: a, tier: T2, patterns: [\"(词\"] }]", "lacks")]
    [InlineData("rules: [{ id: a, tier: T2, patterns: [<无>] }]", "unknown word list")]
    public void Faulty_rules_are_refused_with_the_reason(string yaml, string reason) =>
        Assert.Contains(reason, Assert.Throws<FormatException>(() => Book(yaml)).Message);

    private static Findings Read(string text, string rules) => new MessageReader(Turns.Assessor.Normaliser, Book(Contexts + "\n" + rules)).Read(text);

    private static RuleBook Book(string text)
    {
        var yaml = new YamlStream();
        yaml.Load(new StringReader(text));
        return new RuleBook(Turns.Assessor.Normaliser, [(YamlMappingNode)yaml.Documents[0].RootNode]);
    }
}
