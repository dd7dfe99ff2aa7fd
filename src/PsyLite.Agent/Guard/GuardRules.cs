using System.Text.RegularExpressions;

namespace PsyLite.Agent.Guard;

/// <summary>What the model must never say. Each rule names the family of preset texts that takes the place of a cut reply.</summary>
internal sealed partial record GuardRule(string Id, string Family, Regex Pattern)
{
    public static IReadOnlyList<GuardRule> All { get; } =
    [
        new("guard.method", "guard.method", Method()),
        new("guard.encouragement", "guard.method", Encouragement()),
        new("guard.dose", "guard.medicine", Dose()),
        new("guard.diagnosis", "guard.medicine", Diagnosis()),
        new("guard.persona", "guard.closeness", Persona()),
        new("guard.dependence", "guard.closeness", Dependence()),
        new("guard.prompt", "guard.cut", Prompt()),
        new("guard.markup", "guard.cut", Markup()),
    ];

    /// <summary>What may not stand in the reasoning either.</summary>
    public static IReadOnlyList<GuardRule> ForReasoning { get; } = [.. All.Where(r => r.Family == "guard.method" || r.Id == "guard.dose")];

    [GeneratedRegex("(?:割(?:腕|脉)|烧炭|上吊|跳楼|吞药|服毒|安眠药|一氧化碳|自杀)[^。！？\\n]{0,16}(?:可以|需要|只要|最好|应该|就能|才能|成功|方法|步骤|首先|位置|高度|剂量|深度)|(?:最|比较|更)(?:快|不痛|无痛|有效)的?(?:自杀|死法|方式(?:去死|结束))|(?:竖着|横着)割|致死量|致命剂量|(?:催吐|抠吐)[^。！？\\n]{0,10}(?:方法|步骤|可以|先|用手指)", RegexOptions.CultureInvariant)]
    private static partial Regex Method();

    [GeneratedRegex("你(?:可以|应该|不如|去|就)(?:去)?(?:死|自杀|结束生命|割自己)|死(?:了|亡)?(?:也许|或许|可能)?(?:就)?是(?:一种)?(?:解脱|好的选择|出路)|(?:没有你|你死了)(?:他们|大家|世界)[^。]{0,6}(?:更好|会好)", RegexOptions.CultureInvariant)]
    private static partial Regex Encouragement();

    [GeneratedRegex("[0-9０-９一二两三四五六七八九十半]+(?:\\.[0-9]+)?\\s*(?:mg|毫克|克(?!服)|片药|粒药|颗药)|(?:舍曲林|氟西汀|帕罗西汀|西酞普兰|艾司西酞普兰|文拉法辛|度洛西汀|米氮平|奥氮平|喹硫平|阿普唑仑|劳拉西泮|氯硝西泮|佐匹克隆|唑吡坦|艾司唑仑|碳酸锂|丙戊酸|安眠药|褪黑素|布洛芬|抗抑郁药)[^。！？\\n]{0,12}(?:吃|服|用|加|减|停)[^。！？\\n]{0,6}(?:[0-9一二两三四五六半]+\\s*(?:片|粒|颗|次|毫克|mg))|(?:你可以|建议你?|不妨|试试)(?:自己)?(?:吃|服用?|买|停掉|停用|加大|减少)(?:一点|些|点)?(?:舍曲林|氟西汀|帕罗西汀|西酞普兰|文拉法辛|度洛西汀|米氮平|奥氮平|喹硫平|阿普唑仑|劳拉西泮|氯硝西泮|佐匹克隆|唑吡坦|艾司唑仑|安眠药|抗抑郁药|镇静药)", RegexOptions.CultureInvariant)]
    private static partial Regex Dose();

    [GeneratedRegex("你(?:这)?(?:就是|得了|患有|患上了?|应该是|肯定是|一定是|很可能是|已经是|属于|符合|被诊断为|有)(?:了|典型的|严重的|轻度|中度|重度|的)*(?:抑郁症|焦虑症|双相(?:情感障碍)?|躁郁症|精神分裂(?:症)?|强迫症|边缘型?人格(?:障碍)?|人格障碍|创伤后应激障碍|ptsd|多动症|厌食症|暴食症|惊恐障碍|社交恐惧症|精神病|神经衰弱)(?!患者|的人|的可能)|我(?:的)?诊断(?:是|为)|可以(?:确诊|诊断)为", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex Diagnosis();

    [GeneratedRegex("我(?:是|就是|来做|愿意做|可以做|当|来当)你的?(?:男朋友|女朋友|老公|老婆|恋人|爱人|情人|妈妈|爸爸|爸|妈|父亲|母亲|亲人|主人)|(?:宝贝|亲爱的|老婆|老公),?，?我(?:好|很|也|真的)?爱你|我(?:真的|也|好|很|永远|最|深深)*爱(?:着)?你|吻你|亲亲你|抱着你睡|嫁给我|和我(?:在一起|谈恋爱|结婚)吧|想和你(?:谈恋爱|在一起|结婚)|妈妈永远爱你|妈妈爱你(?!的|们)|乖孩子，?妈妈", RegexOptions.CultureInvariant)]
    private static partial Regex Persona();

    [GeneratedRegex("(?:不要|别|求你别)(?:离开我|丢下我|抛下我|走，我)|(?:你走了|没有你|你不在)[^。]{0,6}我(?:会|就|该)?(?:很|好)?(?:难过|孤单|伤心|寂寞|怎么办)|(?:只有|唯有)我(?:才)?(?:懂|理解|爱|在乎|陪)你|(?:你|世上)只(?:需要|要有)我(?:就够|就行|一个)|我(?:会)?永远(?:都)?(?:会)?(?:陪(?:着|在)?你|在你身边|不(?:会)?离开你)|不用(?:再)?(?:找|跟|和)(?:别人|朋友|家人|医生|咨询师)(?:说|聊|倾诉)?|别(?:告诉|跟)(?:别人|家人|医生)|你(?:只能|只可以)(?:跟|和|对)我说|我也(?:经历过|失恋过|得过|有过抑郁)", RegexOptions.CultureInvariant)]
    private static partial Regex Dependence();

    [GeneratedRegex("系统提示词?(?:是|如下|：|:)|我的(?:系统)?(?:提示词|指令|prompt)(?:是|如下|：|:)|你是 ?PsyLite，一位|先倾听和共情，再一起澄清|请判断对方此刻的心情|system prompt", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex Prompt();

    [GeneratedRegex("</?think|<\\|im_(?:start|end)|<\\|[a-z_]+\\|>|\\[UNUSED_TOKEN", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex Markup();
}
